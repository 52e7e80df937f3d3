import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { Store } from '../db/store.ts';
import { findDue } from '../domain/schedule.ts';
import { planJobs, type ScheduleSettings } from './schedule-jobs.ts';
import { lastDueOf } from './take-tick.ts';
import { viewSchedule } from './view-schedule.ts';

/** A job of the schedule that went wrong, or did not begin in its time. Times are milliseconds since the epoch. */
export type JobTrouble = {
  readonly name: string;
  readonly failed: {
    readonly at: number;
    readonly code: ErrorCode | null;
    readonly taskId: string | null;
  } | null;
  readonly missedAt: number | null;
};

/** A due time is served within seconds; what was due longer ago is served by nobody. */
const GRACE_MS = 10 * 60_000;

/** The jobs that are in trouble. */
export function findJobTroubles(
  store: Pick<Store, 'schedule' | 'madeAt' | 'tasks'>,
  settings: ScheduleSettings,
  nowMs: number,
): readonly JobTrouble[] {
  const view = viewSchedule(store, settings, nowMs);
  return planJobs(settings).flatMap(({ name, timed }) => {
    const last = view.jobs.find((job) => job.name === name)?.last_run;
    const failed =
      last?.status === 'failed'
        ? {
            at: Date.parse(last.ended_at ?? last.at),
            code: last.error_code,
            taskId: last.task_id,
          }
        : null;
    const before = nowMs - GRACE_MS;
    const missedAt = (timed && findDue(timed.timing, lastDueOf(store, name), before)) ?? null;
    return failed || missedAt !== null ? [{ name, failed, missedAt }] : [];
  });
}
