import type { UpdateOutcome } from '../../shared/contract/update-history.ts';
import type { UpdateRecord, UpdateState } from '../../shared/contract/update-record.ts';
import type { UpdateTrigger } from '../../shared/contract/update-request.ts';
import type { UpdateStatus } from '../../shared/contract/update-status.ts';
import type { Explanation } from '../domain/explain-update.ts';
import type { FailureView } from './problem.ts';

/** A program, told apart by its digest; what is not known of it is null. */
export type ReleaseView = {
  readonly version: string;
  readonly digest: string;
  readonly tag: string | null;
  readonly generation: number | null;
  readonly commit: string | null;
};

/** What was done when; `ms` is how long it took, null while it goes on. */
export type UpdateStepView = {
  readonly state: UpdateState;
  readonly at: string;
  readonly ms: number | null;
};

/** The update that is open. */
export type OpenUpdateView = {
  readonly txn: string;
  readonly kind: UpdateRecord['kind'];
  readonly state: UpdateState;
  readonly trigger: UpdateTrigger;
  readonly dry_run: boolean;
  readonly from: ReleaseView;
  readonly to: ReleaseView | null;
  readonly started_at: string;
  readonly tries_left: number;
  readonly failure: FailureView | null;
  /** Only while a release is fetched, and only from a supervisor that answers. */
  readonly progress: NonNullable<UpdateStatus['update']>['progress'];
  readonly steps: readonly UpdateStepView[];
};

/** An update that is over. */
export type UpdateHistoryView = {
  readonly txn: string;
  readonly kind: UpdateRecord['kind'];
  readonly outcome: UpdateOutcome;
  readonly from: ReleaseView;
  readonly to: ReleaseView | null;
  readonly trigger: UpdateTrigger;
  readonly by: string | null;
  readonly started_at: string;
  readonly finished_at: string;
  readonly failure: FailureView | null;
  readonly database_restored: boolean;
  readonly steps: readonly UpdateStepView[];
  readonly warnings: readonly string[];
};

/** When updates begin by themselves. */
export type ScheduleView = {
  readonly cron: string;
  readonly dry_run: boolean;
  /** Null where it never comes. */
  readonly next_run_at: string | null;
};

/** What goes on now: the part that changes while somebody looks, and an event of `GET /sse/self-update`. */
export type UpdateStatusView = {
  /** Whose word it is: that of the supervisor, or what the files say because it is silent. */
  readonly source: 'supervisor' | 'files';
  readonly supervisor: UpdateStatus['supervisor'] | null;
  /** Why this program cannot be updated here; null where it can, or where nobody says. */
  readonly unavailable: FailureView | null;
  readonly update: OpenUpdateView | null;
};

/** What `GET /api/self-update` and `self-update status --json` answer. Times are ISO 8601 in UTC. */
export type SelfUpdateView = UpdateStatusView & {
  /** No update begins by itself while there is one. */
  readonly hold: {
    readonly at: string;
    readonly by: string | null;
    readonly reason: string | null;
    /** Set by the supervisor after two bad releases in a row. */
    readonly automatic: boolean;
  } | null;
  /** Programs that failed here and are not taken again. */
  readonly quarantine: readonly {
    readonly version: string;
    readonly digest: string;
    readonly failure: FailureView;
    readonly count: number;
    readonly first_at: string;
    readonly last_at: string;
    readonly txn: string;
  }[];
  /** Versions that can be gone back to, the newest first. */
  readonly retained: readonly {
    readonly version: string;
    readonly digest: string;
    readonly tag: string | null;
    readonly txn: string;
    readonly kept_at: string;
    readonly bytes: number;
    readonly has_database: boolean;
  }[];
  readonly last: UpdateHistoryView | null;
  /** Null without PODUP_SELF_UPDATE_CRON. */
  readonly schedule: ScheduleView | null;
  /** Files that could not be read, each with why; what they would say is missing here. */
  readonly unreadable: readonly string[];
};

/** What a look at the source of releases came to. */
export type ReleaseCheckView = {
  /** `other`: it would be installed. `current`: it runs already. */
  readonly kind: 'other' | 'current';
  /** What runs. */
  readonly running: string;
  /** Null where what runs is what was found. */
  readonly version: string | null;
  readonly tag: string;
  /** Tags of newer releases that were passed over because they failed here. */
  readonly skipped: readonly string[];
};

/** What `GET /api/self-update/explain` and `self-update explain --json` answer; the answer stands first. */
export type ExplainView = { readonly sentences: readonly Explanation[] };
