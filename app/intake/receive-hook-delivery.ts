import { createHash } from 'node:crypto';
import { type Failure, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { UnitFacts } from '../domain/delivery-verdict.ts';
import {
  decideHookVerdicts,
  type HookVerdicts,
  type UnitVerdict,
} from '../domain/hook-verdicts.ts';
import { repositoryOf } from '../domain/image-reference.ts';
import { locateJson } from '../domain/sources/locate-json.ts';
import type { HeaderLookup, HookReading } from '../domain/sources/source.ts';
import { type HookRefusal, isUnsigned, refuseHook } from '../domain/stored-hook.ts';
import { authenticate } from '../hooks/authenticate.ts';
import type { HookBook, OpenHook } from '../hooks/hook-book.ts';
import {
  type AcceptDeliveries,
  type Judged,
  keepDelivery,
  MAX_NAME_LENGTH,
  parseObject,
  type Received,
  type Reception,
  toUnderstood,
} from './keep-delivery.ts';
import { keepHeaders } from './keep-headers.ts';
import { newIdentifier } from './new-identifier.ts';

/** A delivery as it came over HTTP; `body` is the raw bytes, already within the cap. */
export type HookDelivery = {
  readonly hook: string;
  readonly pathSecret: string | undefined;
  /** Without the secret. */
  readonly path: string;
  readonly headers: HeaderLookup;
  readonly body: Buffer;
  readonly remoteAddress: string;
  readonly requestId: string;
};

/** The units that hooks report for. */
export type HookUnits = {
  /** All that webhooks may deploy. */
  list(): readonly string[];
  facts(unit: string): UnitFacts;
  refreshAll(units: readonly string[]): Promise<void>;
};

/** What takes deliveries of hooks. */
export type HookParts = {
  readonly book: Pick<HookBook, 'find'>;
  readonly intake: AcceptDeliveries;
  readonly units: HookUnits;
  /** How far the time of a signed delivery may be from ours, both ways, in milliseconds. */
  readonly toleranceMs: number;
  /** Told of a hook that this host cannot open: the key may be back. */
  readonly onLocked?: () => void;
  /** Told of units that a hook had looked at for updates only. */
  readonly onCheck?: (units: readonly string[]) => void;
};

/** What became of a delivery. */
export type HookReception = {
  readonly hook: string;
  readonly receptions: readonly [Reception, ...Reception[]];
};

/** A refusal; `refused` is the true reason, which the sender is not told before it has opened the hook. */
export type HookRefusalOutcome = {
  readonly ok: false;
  readonly failure: Failure;
  readonly refused?: HookRefusal;
};

/** Senders that say in headers what a delivery is and what it is called; without them it cannot have come from there. */
const NAMED_BY_HEADERS: ReadonlySet<string> = new Set(['github', 'gitea', 'generic']);
/** A unit may have been changed since it was looked at; but a registry tells of a push of others again and again. */
const LOOK_AGAIN_MS = 10_000;
const MAX_REMEMBERED = 1_000;

/**
 * Makes what takes the deliveries of hooks. The order of the refusals is fixed (ARCHITECTURE.md): whether there is such a hook and
 * it lets anybody in, from where it is called, what it is opened with; up to here all of them look alike and take as long. Then the
 * time, the headers, and what the body is. A delivery that opened the hook is never refused for what it says.
 */
export function createHookReceiver(parts: HookParts) {
  const looked = new RecentLooks();
  return async (raw: HookDelivery): Promise<Outcome<HookReception> | HookRefusalOutcome> => {
    const hook = parts.book.find(raw.hook);
    const { json, signed } = locateJson(hook?.sender ?? {}, raw.headers('content-type'), raw.body);
    const opened = open(hook, raw, signed);
    if ('refused' in opened) {
      if (opened.refused === 'key-missing') parts.onLocked?.();
      return { ...fail('HOOK_REFUSED', ''), refused: opened.refused };
    }
    const { sender } = opened.hook;
    const faulty =
      checkTime(opened.hook, raw.headers, parts.toleranceMs) ?? checkNames(sender, raw.headers);
    if (faulty) return { ok: false, failure: faulty };
    const payload = parseObject(json);
    if (payload === undefined) return fail('BODY_NOT_JSON', `${raw.body.length} bytes were sent.`);
    return readAndKeep(parts, looked, { raw, bytes: json, payload, ...opened });
  };
}

/** What is done anew: a delivery that opened its hook before. */
export type HookReplay = Omit<HookDelivery, 'hook' | 'pathSecret'> & {
  readonly replay: NonNullable<Received['replay']>;
  /** Nothing comes of it for other units; undefined: for all that the hook may report. */
  readonly units: readonly string[] | undefined;
  /** Nothing has proved what it says, whatever its hook wants of senders now. */
  readonly needsProof: boolean;
};

/** Reads it and has come of it what comes of a delivery of that hook now; BODY_NOT_JSON. */
export async function replayHookDelivery(
  parts: Omit<HookParts, 'book' | 'toleranceMs'>,
  hook: OpenHook,
  raw: HookReplay,
): Promise<Outcome<HookReception>> {
  const payload = parseObject(raw.body);
  if (payload === undefined) return fail('BODY_NOT_JSON', `${raw.body.length} bytes were sent.`);
  const { units, replay, needsProof } = raw;
  const delivery = { ...raw, hook: hook.name, pathSecret: undefined };
  const narrowed = units ? { ...hook, units } : hook;
  const kept = { raw: delivery, bytes: raw.body, payload, hook: narrowed, secret: '', replay };
  return readAndKeep(parts, new RecentLooks(), { ...kept, needsProof });
}

async function readAndKeep(
  parts: Omit<HookParts, 'book' | 'toleranceMs'>,
  looked: RecentLooks,
  read: Omit<Kept, 'decided'>,
): Promise<Outcome<HookReception>> {
  const { hook, raw, payload } = read;
  const { registry, sender } = hook;
  const reading = sender.read(raw.headers, payload, registry === null ? {} : { registry });
  const decided = await judge(parts, looked, reading, hook);
  return keep(parts, { ...read, decided });
}

type Opened = { readonly hook: OpenHook; readonly secret: string };

/** Everything is done in any case, so that what is refused takes as long for whatever reason. */
function open(
  hook: OpenHook | undefined,
  { headers, pathSecret, remoteAddress }: HookDelivery,
  signed: Buffer,
): Opened | { readonly refused: HookRefusal } {
  const authentication = authenticate(hook, { headers, pathSecret, signed });
  if (!hook) return { refused: 'unknown' };
  const closed = refuseHook(hook, Date.now());
  if (closed) return { refused: closed };
  if (!hook.isFrom(remoteAddress)) return { refused: 'network' };
  if (hook.isLocked) return { refused: 'key-missing' };
  return 'secret' in authentication ? { hook, ...authentication } : authentication;
}

/** https://www.standardwebhooks.com: what is too old, or of a time to come, may be a recording. */
function checkTime(
  { scheme }: OpenHook,
  headers: HeaderLookup,
  toleranceMs: number,
): Failure | undefined {
  if (scheme !== 'standard-webhooks') return undefined;
  const raw = headers('webhook-timestamp') ?? '';
  const at = /^\d{1,12}$/.test(raw) ? Number(raw) * 1_000 : Number.NaN;
  if (Math.abs(Date.now() - at) <= toleranceMs) return undefined;
  return fail('HOOK_TIMESTAMP_REFUSED', `It says ${JSON.stringify(raw.slice(0, 30))}.`).failure;
}

function checkNames(
  { kind, readEvent, readDeliveryId }: OpenHook['sender'],
  headers: HeaderLookup,
) {
  const id = headers('webhook-id') ?? '';
  const isNamed =
    !NAMED_BY_HEADERS.has(kind) ||
    (readEvent(headers, {}) !== '' && readDeliveryId(headers, {}, '') !== undefined);
  if (isNamed && id.length <= MAX_NAME_LENGTH) return undefined;
  return fail('WEBHOOK_HEADER_MISSING', 'It does not say what it is, or what it is called.')
    .failure;
}

/** From memory where that leads to work; else the units are looked at again, but not for each push that concerns none. */
async function judge(
  { units }: Pick<HookParts, 'units'>,
  looked: RecentLooks,
  reading: HookReading,
  hook: OpenHook,
): Promise<HookVerdicts> {
  const names = hook.units.length > 0 ? hook.units : units.list();
  const decide = () => decideHookVerdicts(reading, hook, names.map(units.facts));
  if (reading.kind === 'ping' || reading.kind === 'ignored') return decide();
  const unseen = names.filter((name) => units.facts(name).state === 'not-looked-up');
  if (unseen.length > 0) await units.refreshAll(unseen);
  const decided = decide();
  const { push } = decided;
  if (!decided.isDoubtful || !push) return decided;
  const repositories = push.pushes.map(({ image }) => repositoryOf(image));
  if (!looked.isDue(repositories.join(' '))) return decided;
  await units.refreshAll(names);
  return decide();
}

/** For which images all units were looked at a moment ago. */
class RecentLooks {
  readonly #at = new Map<string, number>();

  isDue(key: string): boolean {
    const now = performance.now();
    const last = this.#at.get(key);
    if (last !== undefined && now - last < LOOK_AGAIN_MS) return false;
    this.#at.delete(key);
    this.#at.set(key, now);
    const [oldest] = this.#at.keys();
    if (this.#at.size > MAX_REMEMBERED && oldest !== undefined) this.#at.delete(oldest);
    return true;
  }
}

type Kept = Opened & {
  readonly replay?: NonNullable<Received['replay']>;
  /** Absent: as the scheme of the hook says. */
  readonly needsProof?: boolean;
  readonly raw: HookDelivery;
  readonly bytes: Buffer;
  readonly payload: object;
  readonly decided: HookVerdicts;
};

async function keep(
  parts: Pick<HookParts, 'intake' | 'onCheck'>,
  { raw, bytes, payload, decided, hook, secret, replay, needsProof = false }: Kept,
): Promise<Outcome<HookReception>> {
  const { headers, path, requestId, remoteAddress } = raw;
  const { sender, name } = hook;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const received = {
    ...{ source: sender.kind, path, requestId, remoteAddress },
    event: sender.readEvent(headers, payload) || 'push',
    // Where it has no name that could come again it is taken for itself.
    delivery: sender.readDeliveryId(headers, payload, sha256) ?? newIdentifier('dlv'),
    hook: { name, secret, isUnsigned: needsProof || isUnsigned(hook.scheme) },
    headers: keepHeaders(headers),
    ...(replay && { replay }),
  };
  const { push, verdicts } = decided;
  const toJudged = ({ unit, verdict, push: about }: UnitVerdict): Judged => {
    const pushed = about ?? push?.pushes[0];
    const understood = push && pushed && toUnderstood(push.action, pushed, push.pushes.length);
    return { unit, verdict, understood };
  };
  const [first, ...rest] = verdicts;
  const judged = [toJudged(first), ...rest.map(toJudged)] as const;
  const kept = await keepDelivery(parts.intake, received, judged, bytes);
  if (!kept.ok) return kept;
  const checked = verdicts.filter(
    ({ verdict }) => 'reason' in verdict && verdict.reason === 'hook-only-checks',
  );
  if (checked.length > 0) parts.onCheck?.(checked.map(({ unit }) => unit));
  return succeed({ hook: name, receptions: kept.value });
}
