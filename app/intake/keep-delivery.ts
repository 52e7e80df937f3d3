import { createHash } from 'node:crypto';
import type { Outcome } from '../../shared/contract/outcome.ts';
import { fail, succeed } from '../../shared/contract/outcome.ts';
import type { DeliveryVerdict } from '../domain/delivery-verdict.ts';
import { repositoryOf } from '../domain/image-reference.ts';
import type { Push } from '../domain/sources/source.ts';
import type { Intake } from './intake.ts';
import { newIdentifier } from './new-identifier.ts';
import type { IntakeRecord, IntakeVerdict, SpoolEntry, Understood } from './spool-format.ts';

/** Where deliveries go. */
export type AcceptDeliveries = Pick<Intake, 'findDuplicate' | 'accept'>;

/** What is the same for every unit that a delivery concerns. */
export type Received = Pick<
  IntakeRecord,
  | 'source'
  | 'path'
  | 'event'
  | 'delivery'
  | 'remoteAddress'
  | 'requestId'
  | 'hook'
  | 'headers'
  | 'replay'
>;

/** What a delivery means for a unit; an empty one: for none. */
export type Judged = {
  readonly unit: string;
  readonly verdict: DeliveryVerdict;
  readonly understood?: Understood | undefined;
};

/** What the sender is told of one unit once the delivery is durable. */
export type Reception = {
  readonly id: string;
  readonly unit: string;
  readonly verdict: DeliveryVerdict;
};

/** What any delivery is refused for before it is looked into. */
export const MAX_NAME_LENGTH = 200;
const MAX_TAGS = 20;

/**
 * Makes a delivery durable for every unit that it concerns; the body lies with the first record. What repeats one that has led to
 * work is a duplicate. That is looked up and remembered without a pause in between, so that of many at once one is the first.
 */
export async function keepDelivery(
  intake: AcceptDeliveries,
  received: Received,
  judged: readonly [Judged, ...Judged[]],
  body: Buffer,
): Promise<Outcome<readonly [Reception, ...Reception[]]>> {
  const [first, ...others] = judged;
  const receivedAt = Date.now();
  const keep = (one: Judged, rest: Pick<IntakeRecord, 'reception' | 'body'>, bytes: Buffer) => {
    const { unit, understood } = one;
    const verdict = withoutRepetition(intake, received, one);
    const id = newIdentifier('dlv');
    const record: IntakeRecord = {
      ...{ v: 1, id, receivedAt, ...received, unit, verdict: forRecord(verdict), ...rest },
      ...(understood && { understood }),
    };
    const kept = accept(intake, { record, body: bytes });
    return { told: { id, unit, verdict }, kept };
  };
  const one = keep(first, {}, body);
  const facts = others.length > 0 ? factsOf(body) : undefined;
  const more = others.map((other) =>
    keep(other, { reception: one.told.id, ...(facts && { body: facts }) }, NO_BODY),
  );
  const outcomes = await Promise.all([one, ...more].map(({ kept }) => kept));
  const lost = outcomes.find(({ ok }) => !ok);
  if (lost && !lost.ok) return lost;
  return succeed([one.told, ...more.map(({ told }) => told)]);
}

/**
 * What came a moment ago is repeated before it is durable. It went to the disk first, so by now it is known whether it got there:
 * what did not is to be sent again, and so is what repeats it.
 */
async function accept(intake: AcceptDeliveries, entry: SpoolEntry): Promise<Outcome<void>> {
  const kept = await intake.accept(entry);
  const { verdict, source, hook, delivery, unit } = entry.record;
  if (!kept.ok || verdict.verdict !== 'duplicate') return kept;
  const earlier = intake.findDuplicate({ source, hook: hook?.name }, delivery, unit);
  return earlier === undefined
    ? fail('SPOOL_UNAVAILABLE', 'What it repeats could not be kept.')
    : kept;
}

const NO_BODY = Buffer.alloc(0);

function factsOf(body: Buffer) {
  return { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') };
}

/** The JSON object of a body; undefined for anything else. */
export function parseObject(body: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What was read out of a delivery, of the push that concerns a unit. */
export function toUnderstood(action: string, push: Push, images: number): Understood {
  const { image, tags, digest } = push;
  return {
    ...{ action, image: repositoryOf(image), tags: tags.slice(0, MAX_TAGS), images },
    ...(digest !== undefined && { digest }),
  };
}

function withoutRepetition(
  intake: AcceptDeliveries,
  { source, hook, delivery, replay }: Received,
  { unit, verdict }: Judged,
): DeliveryVerdict {
  // A person wants it done anew.
  if (verdict.verdict !== 'accepted' || replay) return verdict;
  const earlier = intake.findDuplicate({ source, hook: hook?.name }, delivery, unit);
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
