import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { ScheduleRunView } from '../api/schedule-views.ts';
import type { Store } from '../db/store.ts';
import { MAINTENANCE_ACTIONS, type MaintenanceAction } from '../domain/maintenance.ts';
import { everyInterval, type ScheduledJob } from '../domain/schedule.ts';
import { processMark } from './process-mark.ts';
import { type Beginning, takeTick } from './take-tick.ts';

/** Why a job has nothing to do now; undefined: it has. */
export type IdleReason = (job: ScheduledJob) => string | undefined;

/** The task of a job that is one; undefined for the others. */
export function actionOf(job: ScheduledJob): MaintenanceAction | undefined {
  return MAINTENANCE_ACTIONS.find((one) => one === job);
}

/** Makes the task of a job; its id. */
export type MakeTask = (action: MaintenanceAction) => string;

/** How the tick of a job that is a task begins; to be called in the transaction that claims it. */
export function beginTask(action: MaintenanceAction, idle: IdleReason, make: MakeTask): Beginning {
  const why = idle(action);
  if (why !== undefined) return { kind: 'idle', why };
  return { kind: 'task', taskId: make(action) };
}

/**
 * Begins a job that somebody else has the clock of, who comes every so often: once for each interval, counted from the epoch,
 * whoever else serves the job. What was begun, or had been already.
 */
export function beginEvery(
  store: Store,
  job: MaintenanceAction,
  everyMs: number,
  {
    nowMs,
    idle,
    make,
  }: { readonly nowMs: number; readonly idle: IdleReason; readonly make: MakeTask },
): Outcome<ScheduleRunView> {
  const timing = { times: everyInterval(everyMs), share: 0, spreadMs: 0 };
  const begin = () => beginTask(job, idle, make);
  // Its first time is now, however young the database is.
  const never = Number.NEGATIVE_INFINITY;
  const mark = processMark();
  const tick = takeTick(store, { name: job, timing }, { mark, nowMs, never, begin });
  const row = store.schedule.find(job);
  return succeed({
    ...{ job, task_id: row?.task_id ?? null, txn: null },
    due_at: row ? new Date(row.due_at).toISOString() : null,
    is_new: tick?.beginning.kind === 'task',
    said: row?.result ?? null,
  });
}
