import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseUnitName } from '../../shared/contract/unit-name.ts';
import { type DeliveryVerdict, decideVerdict, type UnitFacts } from '../domain/delivery-verdict.ts';
import { GITHUB_HOOK_HEADERS } from '../domain/name-github-hook.ts';
import { parseGithubPayload } from '../domain/sources/github.ts';
import type { HeaderLookup, ImageReading } from '../domain/sources/source.ts';
import { verifyGithubSignature } from './github-signature.ts';
import {
  type AcceptDeliveries,
  type Judged,
  keepDelivery,
  MAX_NAME_LENGTH,
  parseObject,
  type Reception,
  toUnderstood,
} from './keep-delivery.ts';
import { keepHeaders } from './keep-headers.ts';

/** A delivery as it came over HTTP; `body` is the raw bytes, already within the cap. */
export type RawDelivery = {
  readonly service: string;
  readonly path: string;
  readonly signature: string | undefined;
  readonly event: string | undefined;
  readonly delivery: string | undefined;
  readonly headers: HeaderLookup;
  readonly body: Buffer;
  readonly remoteAddress: string;
  readonly requestId: string;
};

type Parts = {
  readonly secrets: readonly string[];
  readonly intake: AcceptDeliveries;
  readonly units: { facts(unit: string): UnitFacts; refresh(unit: string): Promise<UnitFacts> };
};

/**
 * Judges a delivery and makes it durable. The order of the refusals is fixed and documented (ARCHITECTURE.md):
 * signature, then headers, then JSON; bytes are verified before they are parsed. A good signature is never refused
 * for what the delivery says: not ours is `ignored`, with the reason, and recorded like the rest.
 */
export async function receiveGithubDelivery(
  parts: Parts,
  raw: RawDelivery,
): Promise<Outcome<Reception>> {
  const signature = verifyGithubSignature(parts.secrets, raw.body, raw.signature);
  if (signature === 'missing') return fail('SIGNATURE_MISSING', '');
  if (signature === 'invalid') return fail('SIGNATURE_INVALID', '');
  const { event, delivery } = raw;
  if (!isHeader(event)) return fail('WEBHOOK_HEADER_MISSING', 'X-GitHub-Event is missing.');
  if (!isHeader(delivery)) return fail('WEBHOOK_HEADER_MISSING', 'X-GitHub-Delivery is missing.');
  const payload = parseObject(raw.body);
  if (payload === undefined) return fail('BODY_NOT_JSON', `${raw.body.length} bytes were sent.`);

  const unit = parseUnitName(raw.service) ?? raw.service.slice(0, MAX_NAME_LENGTH);
  const judged = await judgeGithubDelivery(parts, { event, unit, payload });
  const { path, remoteAddress, requestId } = raw;
  const headers = keepHeaders(raw.headers, GITHUB_HOOK_HEADERS);
  const received = {
    ...({ source: 'github', path, event, delivery, remoteAddress, requestId } as const),
    ...(Object.keys(headers).length > 0 && { headers }),
  };
  const kept = await keepDelivery(parts.intake, received, [judged], raw.body);
  return kept.ok ? succeed(kept.value[0]) : kept;
}

/** Judges for a unit what GitHub says; also what it said before, when that is replayed. */
export async function judgeGithubDelivery(
  parts: Pick<Parts, 'units'>,
  {
    event,
    unit,
    payload,
  }: { readonly event: string; readonly unit: string; readonly payload: object },
): Promise<Judged> {
  const reading = parseGithubPayload(event, payload);
  const verdict = await judge(parts, reading, unit);
  const push = reading.kind === 'push' ? reading.pushes[0] : undefined;
  if (reading.kind !== 'push' || !push) return { unit, verdict };
  return { unit, verdict, understood: toUnderstood(reading.action, push, reading.pushes.length) };
}

function isHeader(value: string | undefined): value is string {
  return value !== undefined && value !== '' && value.length <= MAX_NAME_LENGTH;
}

/** From memory where it leads to work; systemd is asked again before anything is turned away for its unit. */
async function judge(
  parts: Pick<Parts, 'units'>,
  reading: ImageReading,
  unit: string,
): Promise<DeliveryVerdict> {
  const facts = parts.units.facts(unit);
  const verdict = decideVerdict(reading, facts);
  const isSure = reading.kind !== 'push' || !facts.admission.allowed || facts.state === 'known';
  if (isSure && (verdict.verdict !== 'ignored' || !verdict.reason.startsWith('unit-image-'))) {
    return verdict;
  }
  return decideVerdict(reading, await parts.units.refresh(unit));
}
