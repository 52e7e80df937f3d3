import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { HigherTags } from '../domain/tag-version.ts';
import type { UpdateStatus } from '../domain/update-verdict.ts';

/** Why something is not known. */
export type ReasonView = {
  readonly code: ErrorCode;
  readonly sentence: string;
  readonly detail: string;
  readonly hint: string;
};

/** What a unit runs, compared with its registry. Times are ISO 8601 in UTC. */
export type UpdateView = {
  readonly status: UpdateStatus;
  /** The tag of the unit; null where its image is not known. */
  readonly tag: string | null;
  /** The digest of what runs, as the registry names it where it does; null where nothing runs. */
  readonly running_digest: string | null;
  /** What the tag meant when that was last said. */
  readonly remote_tag_digest: string | null;
  readonly remote_latest_digest: string | null;
  /** Null: updates were never looked for. */
  readonly checked_at: string | null;
  /** Since the oldest answer that the status rests on; null where there is none. */
  readonly age_ms: number | null;
  readonly stale: boolean;
  /** The code of `error`. */
  readonly reason: ErrorCode | null;
  /** Why the status is unknown. */
  readonly error: ReasonView | null;
  /** The status before the last question failed; null where it did not, or there was none. */
  readonly last_known: UpdateStatus | null;
  /** Null where the tag is no version, or the unit does not want to hear of it. */
  readonly higher: HigherView | null;
};

/** Tags that are higher versions. */
export type HigherView = {
  /** How far up. */
  readonly within: HigherTags;
  /** The highest first, 20 at most. */
  readonly tags: readonly string[];
  /** The registry has more tags than were read. */
  readonly cut: boolean;
  readonly listed_at: string;
  readonly error: ReasonView | null;
};

/** A unit in `GET /api/update-checks`. */
export type CheckedUnitView = {
  readonly unit: string;
  readonly image: string | null;
  readonly update: UpdateView;
};

/** What a registry allows, as it said itself. */
export type RegistryView = {
  readonly host: string;
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly window_s: number | null;
  /** It is not asked before; null: it may be. */
  readonly paused_until: string | null;
  readonly updated_at: string;
};

/** Answer of `GET /api/update-checks`. */
export type UpdateChecksView = {
  readonly checks: readonly CheckedUnitView[];
  readonly registries: readonly RegistryView[];
};

/** Answer of `POST /api/update-checks`: what was done, and what the units are now. */
export type CheckDoneView = UpdateChecksView & {
  readonly asked: number;
  readonly failed: number;
  readonly duration_ms: number;
};
