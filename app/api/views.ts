import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { Steps } from '../domain/deployment-plan.ts';
import type { TaskKind, TaskPhase, TaskStatus } from '../domain/task.ts';
import type { TaskRights } from '../domain/task-life.ts';

/** The unit of a task, and how far it has come. */
export type TaskUnitView = {
  readonly unit: string;
  readonly status: TaskStatus;
  readonly phase: TaskPhase;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  /** From its start to its end. */
  readonly duration_ms: number | null;
  readonly message: string;
  readonly error: TaskView['error'];
};

/** A task in a list. Times are ISO 8601 in UTC; what is not known (yet) is null. */
export type TaskView = {
  readonly task_id: string;
  readonly kind: TaskKind;
  readonly status: TaskStatus;
  readonly phase: TaskPhase;
  readonly unit: string;
  readonly image: string | null;
  readonly summary: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly attempts: number;
  readonly trigger: {
    readonly source: string;
    readonly request_id: string | null;
    readonly path: string | null;
    readonly caller: string | null;
    readonly reason: string | null;
  };
  /** The four digests of a deployment: what was pushed, what the registry says, what was pulled, what runs. */
  readonly digests: {
    readonly webhook: string | null;
    readonly registry: string | null;
    readonly pulled: string | null;
    readonly running: string | null;
  };
  /** The image that ran when the task ended; `none` where no container ran. */
  readonly running_image: string | null;
  readonly error: {
    readonly code: ErrorCode;
    readonly sentence: string;
    readonly detail: string;
    readonly hint: string;
  } | null;
  /** What was asked for in one call has one. */
  readonly batch_id: string | null;
  /** The task that this one does anew. */
  readonly retry_of: string | null;
  /** Who wants it to end, or had it killed; null: nobody. */
  readonly stop: {
    readonly requested_at: string | null;
    readonly requested_by: string | null;
    readonly forced_at: string | null;
    readonly forced_by: string | null;
  } | null;
  readonly units: readonly TaskUnitView[];
  /** Of all units of its batch; of its own where it has none. */
  readonly unit_counts: { readonly total: number } & { readonly [S in TaskStatus]: number };
} & TaskRights;

/** How many tasks a filter lets through. */
export type TaskCountsView = {
  readonly total: number;
  readonly by_status: { readonly [S in TaskStatus]: number };
  readonly by_kind: { readonly [K in TaskKind]: number };
  /** False where a search has looked at the newest tasks only. */
  readonly complete: boolean;
};

/** An image that failed for a unit and is not deployed to it again. */
export type QuarantinedImageView = {
  readonly unit: string;
  readonly digest: string;
  readonly image: string;
  readonly error: NonNullable<TaskView['error']>;
  /** How often it has failed. */
  readonly count: number;
  readonly first_at: string;
  readonly last_at: string;
  /** The file that keeps podman's own timer off the unit; null where it does not update the unit anyway. */
  readonly timer_guard: string | null;
  /** Null: until a person releases it. */
  readonly expires_at: string | null;
};

/** How many images of a unit have left the quarantine. */
export type ReleasedView = { readonly unit: string; readonly released: number };

/** What a deployment would do, for ten minutes under its id. */
export type PlanView = Steps & {
  readonly plan_id: string;
  readonly expires_at: string;
  /** What was asked for in place of the unit's own tag. */
  readonly version: string | null;
  /** The middle of how long the unit was down in its last deployments; null where there was none. */
  readonly expected_down_ms: number | null;
  /** From how many deployments that is known. */
  readonly from_deployments: number;
};

/** One entry of the log of a task. */
export type TaskLogView = {
  readonly id: number;
  readonly ts: string;
  readonly level: string;
  readonly action: string;
  readonly summary: string;
  readonly meta: unknown;
};

/** A delivery that led to a task. */
export type DeliveryView = {
  readonly id: string;
  readonly received_at: string;
  readonly source: string;
  readonly delivery: string;
  readonly event: string;
  readonly matched: string | null;
  readonly digest: string | null;
};

/** A part of the log of a task, oldest first. */
export type TaskLogsView = {
  readonly logs: readonly TaskLogView[];
  /** What `after` is to be for the rest; null where there is no more. */
  readonly logs_next: number | null;
};

/** Numbers for the badges of an interface. */
export type BadgesView = {
  readonly pending: number;
  readonly running: number;
  /** Images that are not deployed again. */
  readonly quarantined: number;
};
/** One task with everything that is recorded of it; of its log the beginning. */
export type TaskDetailView = TaskView &
  TaskLogsView & {
    /** The tasks that do it anew. */
    readonly retried_as: readonly string[];
    readonly warning_count: number;
    readonly deliveries: readonly DeliveryView[];
  };

/** Something that happened. */
export type EventView = {
  readonly id: number;
  readonly request_id: string;
  readonly ts: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly action: string;
  readonly code: string | null;
  readonly actor: string | null;
  readonly remote_address: string | null;
  readonly duration_ms: number;
  /** The task that was made or touched. */
  readonly task_id: string | null;
  readonly meta: unknown;
};

/**
 * A page of events, newest first. One page looks at a bounded number of rows: it may hold fewer than were asked for,
 * even none, and yet not be the last one.
 */
export type EventPageView = Page<'events', EventView> & {
  /** The time down to which was looked; null on the last page. */
  readonly looked_back_to: string | null;
};

/** A page of a list, newest first; `next_cursor` is null on the last page. */
export type Page<K extends string, T> = { readonly [P in K]: readonly T[] } & {
  readonly next_cursor: string | null;
};

/** What `GET /health` says of one part. */
export type HealthCheckView = {
  readonly component: 'database' | 'disk' | 'podman' | 'user-manager';
  readonly ok: boolean;
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly hint?: string;
  /** Only for admins: what was seen, with paths. */
  readonly detail?: string;
};

/** What `GET /health` answers, with 200 for ok and 503 for the others; `maintenance` is the standby's word. */
export type HealthView = {
  readonly status: 'ok' | 'degraded' | 'maintenance';
  readonly version: string;
  readonly commit: string;
  readonly checks: readonly HealthCheckView[];
};
