import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { DeliveryRow } from '../db/deliveries.ts';
import type { Store } from '../db/store.ts';
import { refuseHook } from '../domain/stored-hook.ts';
import type { HookBook, OpenHook } from '../hooks/hook-book.ts';
import {
  type AcceptDeliveries,
  keepDelivery,
  parseObject,
  type Reception,
} from './keep-delivery.ts';
import { judgeGithubDelivery } from './receive-github-delivery.ts';
import { type HookUnits, replayHookDelivery } from './receive-hook-delivery.ts';

/** What replays. */
export type ReplayParts = {
  readonly store: Pick<Store, 'deliveries' | 'deliveryBodies'>;
  readonly intake: AcceptDeliveries;
  readonly book: Pick<HookBook, 'find'>;
  readonly units: HookUnits & {
    refresh(unit: string): Promise<ReturnType<HookUnits['facts']>>;
  };
};

/** Who wants it. */
export type Replayer = {
  readonly by: string;
  readonly requestId: string;
  readonly address: string;
};

/**
 * Does a delivery anew: from the bytes that came, by what it means now, as if it came now; but nobody is asked for a signature,
 * for that it was let in, and it repeats nothing, for a person wants it. Nothing comes of it for units that it did not concern, nor
 * for those that its hook may not report for any more.
 * DELIVERY_NOT_FOUND; DELIVERY_NOT_REPLAYABLE where its body or its hook is gone.
 */
export async function replayDelivery(
  parts: ReplayParts,
  id: string,
  { by, requestId, address }: Replayer,
): Promise<Outcome<readonly Reception[]>> {
  const { deliveries, deliveryBodies } = parts.store;
  const row = deliveries.find(id);
  if (!row) return fail('DELIVERY_NOT_FOUND', '');
  // What was a replay itself is done from what came in the first place.
  const origin = row.replay_of === null ? row : deliveries.find(row.replay_of);
  const body = origin && deliveryBodies.find(origin.reception ?? origin.id);
  if (!origin || !body) return refuse('Its body is not kept any more, or never was.');
  const replay = { of: origin.id, by };
  const raw = { path: row.path, body, requestId, remoteAddress: address, replay };
  if (row.hook === null) return replayGithub(parts, row, raw);
  const hook = findHook(parts.book, row);
  if (!hook.ok) return hook;
  const { units: named } = hook.value;
  // Its own, and not those of the first one: whoever may have these deployed may not those.
  const own = unitsOf(parts.store, row);
  const units = own.filter((unit) => named.length === 0 || named.includes(unit));
  if (own.length > 0 && units.length === 0) {
    return refuse(`The hook ${row.hook} may report for none of its units any more.`);
  }
  const done = await replayHookDelivery(parts, hook.value, {
    ...{ ...raw, headers: toLookup(origin.headers), needsProof: origin.needs_proof === 1 },
    units: units.length > 0 ? units : undefined,
  });
  return done.ok ? succeed(done.value.receptions) : done;
}

/** The hook that a delivery came by, while it lets anybody in; one made anew with its name may be another one. */
function findHook(
  book: ReplayParts['book'],
  { hook: name, source }: Pick<DeliveryRow, 'hook' | 'source'>,
): Outcome<OpenHook> {
  const hook = book.find(name ?? '');
  if (!hook) return refuse(`There is no hook ${name} any more.`);
  const closed = refuseHook(hook, Date.now());
  if (closed) return refuse(`The hook ${name} is ${closed}.`);
  if (hook.source === source) return succeed(hook);
  return refuse(`The hook ${name} is one of ${hook.source} now, and it came from ${source}.`);
}

/** The units that a delivery concerned; none: it was about none that there was then. */
export function unitsOf(
  { deliveries }: Pick<Store, 'deliveries'>,
  { id, unit, reception }: Pick<DeliveryRow, 'id' | 'unit' | 'reception'>,
): readonly string[] {
  const rows = reception === null ? [] : deliveries.listReception(reception);
  const named = rows.some((row) => row.id === id) ? rows.map((row) => row.unit) : [unit];
  return [...new Set(named.filter((name) => name !== ''))];
}

function refuse(why: string): Outcome<never> {
  return fail('DELIVERY_NOT_REPLAYABLE', why);
}

type Raw = {
  readonly path: string;
  readonly body: Buffer;
  readonly requestId: string;
  readonly remoteAddress: string;
  readonly replay: { readonly of: string; readonly by: string };
};

async function replayGithub(
  parts: ReplayParts,
  { source, event, delivery, unit }: DeliveryRow,
  { body, ...raw }: Raw,
): Promise<Outcome<readonly Reception[]>> {
  const payload = parseObject(body);
  if (payload === undefined) return fail('BODY_NOT_JSON', `${body.length} bytes were sent.`);
  const judged = await judgeGithubDelivery(parts, { event, unit, payload });
  return keepDelivery(parts.intake, { source, event, delivery, ...raw }, [judged], body);
}

function toLookup(headers: string | null) {
  const known = new Map(Object.entries(JSON.parse(headers ?? '{}') as Record<string, string>));
  return (name: string) => known.get(name);
}
