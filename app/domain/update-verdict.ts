import type { Failure } from '../../shared/contract/outcome.ts';
import { isMeant } from './matches-digest.ts';

/** What a unit is, compared with its registry. */
export const UPDATE_STATUSES = [
  'up_to_date',
  'tag_update_available',
  'latest_ahead',
  'unknown',
] as const;

/** `latest_ahead`: it runs what its own tag means, and `latest` means something else. */
export type UpdateStatus = (typeof UPDATE_STATUSES)[number];

type Fault = Pick<Failure, 'code' | 'detail'>;

/** What is known of a tag. Times are milliseconds since the epoch. */
export type TagFacts = {
  /** What it meant when that was last said; null: it never was. */
  readonly digest: string | null;
  /** That is the digest of an index. */
  readonly isIndex: boolean;
  /** The manifests in it for the platform of the unit; empty: not known, or it is no index. */
  readonly platformDigests: readonly string[];
  readonly resolvedAt: number | null;
  readonly checkedAt: number;
  /** Why the last question was not answered; null: it was. */
  readonly failure: Fault | null;
};

/** All that a verdict needs. */
export type UpdateFacts = {
  /** Of each running container the digests of its image. */
  readonly containers: readonly (readonly string[])[];
  /** Why they are not known, or why no registry is asked; null: they are. */
  readonly failure: Fault | null;
  /** Undefined: it was never asked for. */
  readonly tag: TagFacts | undefined;
  /** Null: the tag of the unit is `latest` itself. */
  readonly latest: TagFacts | undefined | null;
};

/** What the facts come to; a failure stands with `unknown` alone. */
export type UpdateVerdict =
  | { readonly status: Exclude<UpdateStatus, 'unknown'>; readonly failure: null }
  | { readonly status: 'unknown'; readonly failure: Fault };

/**
 * Judges whether a unit runs what its tag means. What could not be asked is `unknown`, never up to date; only that there is
 * no tag `latest` says nothing.
 */
export function judgeUpdate({ containers, failure, tag, latest }: UpdateFacts): UpdateVerdict {
  if (failure) return unknown(failure);
  if (containers.length === 0) return unknown({ code: 'CHECK_NOTHING_RUNS', detail: '' });
  if (!tag) return unknown({ code: 'CHECK_NOT_DONE', detail: '' });
  if (tag.failure) return unknown(tag.failure);
  if (tag.digest === null) return unknown({ code: 'CHECK_NOT_DONE', detail: '' });
  if (!runs(containers, tag, tag.digest)) return { status: 'tag_update_available', failure: null };
  if (latest === null || latest?.failure?.code === 'REGISTRY_IMAGE_NOT_FOUND') return UP_TO_DATE;
  if (!latest) return unknown({ code: 'CHECK_NOT_DONE', detail: 'The tag latest.' });
  if (latest.failure) return unknown(latest.failure);
  if (latest.digest === null || runs(containers, latest, latest.digest)) return UP_TO_DATE;
  return { status: 'latest_ahead', failure: null };
}

const UP_TO_DATE = { status: 'up_to_date', failure: null } as const;

function unknown(failure: Fault): UpdateVerdict {
  return { status: 'unknown', failure };
}

function runs(containers: UpdateFacts['containers'], tag: TagFacts, digest: string): boolean {
  const { platformDigests } = tag;
  return containers.every((digests) => isMeant(digests, { digest, platformDigests }));
}

/** Whether only the manifests in the index can tell if the containers run what the tag means. */
export function needsIndex(
  containers: UpdateFacts['containers'],
  tag: { readonly digest: string; readonly isIndex: boolean },
): boolean {
  return tag.isIndex && containers.some((digests) => !digests.includes(tag.digest));
}

/** The verdict from before the last question failed, where there was one; null elsewhere. */
export function lastKnown(facts: UpdateFacts): UpdateVerdict['status'] | null {
  const forget = (tag: TagFacts) => ({ ...tag, failure: tag.digest === null ? tag.failure : null });
  const { tag, latest } = facts;
  const before = judgeUpdate({
    containers: facts.containers,
    // Where that is all that failed, what was seen before is still there.
    failure: null,
    tag: tag && forget(tag),
    // Where it never meant anything there was none.
    latest: latest && latest.digest !== null ? forget(latest) : null,
  });
  return before.status === 'unknown' ? null : before.status;
}
