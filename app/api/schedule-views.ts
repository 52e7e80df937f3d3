import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { ScheduledJob } from '../domain/schedule.ts';
import type { TaskStatus } from '../domain/task.ts';

/** A job that begins by itself. Times are ISO 8601 in UTC; what is not known (yet) is null. */
export type ScheduledJobView = {
  readonly name: ScheduledJob;
  readonly about: string;
  /** A cron expression in the time zone of the schedule, or `off`. */
  readonly cron: string;
  /** The setting that says so. */
  readonly variable: string;
  /** How long after its due time it begins on this host. */
  readonly delay_ms: number;
  /** Null where it is off; now where it is due. */
  readonly next_run_at: string | null;
  /** The due time that was served last, whoever served it. */
  readonly last_due_at: string | null;
  /** The last run, by the clock or a person; null where it never ran. */
  readonly last_run: {
    readonly at: string;
    readonly by: string;
    /** Null where it is no task, or had nothing to do. */
    readonly task_id: string | null;
    readonly status: TaskStatus;
    readonly summary: string;
    readonly error_code: ErrorCode | null;
    readonly ended_at: string | null;
  } | null;
};

/** Answer of `GET /api/schedule`. */
export type ScheduleView = {
  readonly now: string;
  /** The one in which the expressions are read. */
  readonly time_zone: string;
  readonly jobs: readonly ScheduledJobView[];
};

/** Answer of `POST /api/schedule/JOB/run`: its task, or the update that was asked for. */
export type ScheduleRunView = {
  readonly job: ScheduledJob;
  readonly task_id: string | null;
  readonly txn: string | null;
};
