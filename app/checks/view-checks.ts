import { ERRORS, type ErrorCode } from '../../shared/contract/error-codes.ts';
import type { FailureView } from '../api/answer.ts';
import type { CheckedUnitView, HigherView, RegistryView, UpdateView } from '../api/check-views.ts';
import type { Store } from '../db/store.ts';
import type { CheckedUnitFacts, HigherFacts } from '../db/update-checks.ts';
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
  tagOf,
} from '../domain/image-reference.ts';
import { judgeUpdate, lastKnown } from '../domain/update-verdict.ts';
import type { UnitToCheck } from './see-units.ts';

type Answers = Pick<Store, 'updateChecks' | 'registryAnswers'>;

/**
 * What was found of each unit, judged by what is stored: no registry is asked, and podman neither. `staleMs` is the age from
 * which on it is called stale.
 */
export function listChecks(
  { updateChecks }: Pick<Answers, 'updateChecks'>,
  units: readonly UnitToCheck[],
  staleMs: number,
  nowMs: number,
): readonly CheckedUnitView[] {
  const stored = new Map(updateChecks.list().map((facts) => [facts.unit, facts]));
  return units.map(({ unit, image }) => {
    const facts = stored.get(unit);
    const configured = image ? formatImageReference(image) : null;
    const update = facts ? viewUpdate(facts, staleMs, nowMs) : viewUnchecked(image);
    return { unit, image: facts?.image ?? configured, update };
  });
}

/** Of a unit that updates were never looked for. */
function viewUnchecked(image: ImageReference | undefined): UpdateView {
  return {
    status: 'unknown',
    tag: image ? tagOf(image) : null,
    running_digest: null,
    remote_tag_digest: null,
    remote_latest_digest: null,
    checked_at: null,
    age_ms: null,
    stale: true,
    reason: 'CHECK_NOT_DONE',
    error: viewReason({ code: 'CHECK_NOT_DONE', detail: '' }),
    last_known: null,
    higher: null,
  };
}

function viewUpdate(facts: CheckedUnitFacts, staleMs: number, nowMs: number): UpdateView {
  const { status, failure } = judgeUpdate(facts);
  const { tag, latest, image, containers, higher } = facts;
  const answers = [tag, latest].flatMap((each) => each?.resolvedAt ?? []);
  const age = Math.max(nowMs - Math.min(facts.seenAt, ...answers), 0);
  const reference = image === null ? undefined : parseImageReference(image);
  return {
    status,
    tag: reference ? tagOf(reference) : null,
    running_digest: runningDigest(facts),
    remote_tag_digest: tag?.digest ?? null,
    remote_latest_digest: latest === null ? (tag?.digest ?? null) : (latest?.digest ?? null),
    checked_at: formatTime(facts.checkedAt),
    age_ms: containers.length === 0 && answers.length === 0 ? null : age,
    stale: age >= staleMs,
    reason: failure?.code ?? null,
    error: failure && viewReason(failure),
    last_known: failure ? lastKnown(facts) : null,
    higher: higher && higher.wanted !== 'off' ? viewHigher(higher) : viewBadWish(higher),
  };
}

/** An image has several digests: the one that a tag means is told where the container has it. */
function runningDigest({ containers, tag, latest }: CheckedUnitFacts): string | null {
  const [digests] = containers;
  if (!digests) return null;
  const meant = [tag?.digest, ...(tag?.platformDigests ?? []), latest?.digest];
  return meant.find((digest) => digest && digests.includes(digest)) ?? digests[0] ?? null;
}

function viewHigher({ wanted, tags, isCut, failure, listedAt }: HigherFacts): HigherView {
  return {
    within: wanted,
    tags,
    cut: isCut,
    listed_at: formatTime(listedAt),
    error: failure && viewReason(failure),
  };
}

/** A policy that cannot be read wants nothing, and that is worth telling. */
function viewBadWish(higher: HigherFacts | null): HigherView | null {
  return higher?.failure ? viewHigher(higher) : null;
}

function viewReason({ code, detail }: { code: ErrorCode; detail: string }): FailureView {
  const { sentence, hint } = ERRORS[code];
  return { code, sentence, detail, hint };
}

/** What registries have said of their limits. */
export function listRegistries(
  { registryAnswers }: Pick<Answers, 'registryAnswers'>,
  nowMs: number,
): readonly RegistryView[] {
  return registryAnswers.listLimits().map(({ host, quota, pausedUntil, updatedAt }) => ({
    host,
    limit: quota?.limit ?? null,
    remaining: quota?.remaining ?? null,
    window_s: quota?.windowS ?? null,
    paused_until: pausedUntil > nowMs ? formatTime(pausedUntil) : null,
    updated_at: formatTime(updatedAt),
  }));
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}
