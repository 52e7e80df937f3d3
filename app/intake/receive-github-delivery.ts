import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseUnitName } from '../../shared/contract/unit-name.ts';
import { type DeliveryVerdict, decideVerdict, type UnitFacts } from '../domain/delivery-verdict.ts';
import { parseGithubPayload } from '../domain/sources/github.ts';
import type { ImageReading } from '../domain/sources/source.ts';
import { verifyGithubSignature } from './github-signature.ts';
import type { Intake } from './intake.ts';
import { newIdentifier } from './new-identifier.ts';
import type { IntakeVerdict } from './spool-format.ts';

/** A delivery as it came over HTTP; `body` is the raw bytes, already within the cap. */
export type RawDelivery = {
  readonly service: string;
  readonly path: string;
  readonly signature: string | undefined;
  readonly event: string | undefined;
  readonly delivery: string | undefined;
  readonly body: Buffer;
  readonly remoteAddress: string;
  readonly requestId: string;
};

/** What the sender is told once the delivery is durable. */
export type Reception = {
  readonly id: string;
  readonly unit: string;
  readonly verdict: DeliveryVerdict;
};

/** Where deliveries go. */
export type AcceptDeliveries = Pick<Intake, 'findDuplicate' | 'accept'>;

type Parts = {
  readonly secrets: readonly string[];
  readonly intake: AcceptDeliveries;
  readonly units: { facts(unit: string): UnitFacts; refresh(unit: string): Promise<UnitFacts> };
};

const MAX_HEADER_LENGTH = 200;

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

  const unit = parseUnitName(raw.service) ?? raw.service.slice(0, MAX_HEADER_LENGTH);
  const reading = parseGithubPayload(event, payload);
  const verdict = withoutRepetition(parts, delivery, unit, await judge(parts, reading, unit));
  const id = newIdentifier('dlv');
  const outcome = await parts.intake.accept({
    record: {
      v: 1,
      id,
      receivedAt: Date.now(),
      source: 'github',
      path: raw.path,
      unit,
      event,
      delivery,
      remoteAddress: raw.remoteAddress,
      requestId: raw.requestId,
      verdict: forRecord(verdict),
    },
    body: raw.body,
  });
  return outcome.ok ? succeed({ id, unit, verdict }) : outcome;
}

function isHeader(value: string | undefined): value is string {
  return value !== undefined && value !== '' && value.length <= MAX_HEADER_LENGTH;
}

function parseObject(body: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** From memory where it leads to work; systemd is asked again before anything is turned away for its unit. */
async function judge(parts: Parts, reading: ImageReading, unit: string): Promise<DeliveryVerdict> {
  const facts = parts.units.facts(unit);
  const verdict = decideVerdict(reading, facts);
  const isSure = reading.kind !== 'push' || !facts.admission.allowed || facts.state === 'known';
  if (isSure && (verdict.verdict !== 'ignored' || !verdict.reason.startsWith('unit-image-'))) {
    return verdict;
  }
  return decideVerdict(reading, await parts.units.refresh(unit));
}

function withoutRepetition(
  parts: Parts,
  delivery: string,
  unit: string,
  verdict: DeliveryVerdict,
): DeliveryVerdict {
  if (verdict.verdict !== 'accepted') return verdict;
  const earlier = parts.intake.findDuplicate({ source: 'github' }, delivery, unit);
  return earlier === undefined ? verdict : { verdict: 'duplicate', of: earlier };
}

function forRecord(verdict: DeliveryVerdict): IntakeVerdict {
  switch (verdict.verdict) {
    case 'accepted': {
      const { image, matched, digest } = verdict;
      return {
        verdict: 'accepted',
        matched,
        ...(image !== undefined && { image }),
        ...(digest !== undefined && { digest }),
      };
    }
    case 'ignored':
      return { verdict: 'ignored', reason: verdict.reason, detail: verdict.detail };
    case 'duplicate':
      return { verdict: 'duplicate', detail: `Repeats delivery ${verdict.of}.` };
    case 'ping':
      return { verdict: 'ping' };
  }
}
