import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { ScheduleRunView } from '../api/schedule-views.ts';
import type { Store } from '../db/store.ts';
import type { MaintenanceAction } from '../domain/maintenance.ts';
import { SCHEDULED_JOBS } from '../domain/schedule.ts';
import type { Asker } from '../tasks/make-manual-task.ts';
import type { ManualTasks } from '../tasks/manual-tasks.ts';
import { type AskSupervisor, newUpdateRequest } from '../updates/ask-supervisor.ts';
import { actionOf, beginEvery, type IdleReason } from './scheduled-tasks.ts';

/**
 * Has a job of the schedule done now, at the word of a person; its due times stay as they are. With `everyMs` it is the word of
 * another clock, see `beginEvery`. Fails with SCHEDULE_JOB_NOT_FOUND, and with what the supervisor refuses.
 */
export type RunScheduledJob = (
  name: string,
  asker: Asker,
  everyMs?: number,
) => Promise<Outcome<ScheduleRunView>>;

/** Joins it to what makes tasks and to the supervisor. */
export function createRunJob(parts: {
  readonly store: Store;
  readonly maintain: ManualTasks['maintain'];
  readonly ask: AskSupervisor;
  readonly dryRun: boolean;
  readonly idle: IdleReason;
}): RunScheduledJob {
  const { store, maintain, ask, dryRun, idle } = parts;
  const make = (action: MaintenanceAction) => maintain(action, 'schedule');
  return async (name, asker, everyMs) => {
    const job = SCHEDULED_JOBS.find((one) => one === name);
    if (!job) {
      return fail('SCHEDULE_JOB_NOT_FOUND', `The jobs are ${SCHEDULED_JOBS.join(', ')}.`);
    }
    const action = actionOf(job);
    if (action && everyMs !== undefined) {
      return beginEvery(store, action, everyMs, { nowMs: Date.now(), idle, make });
    }
    const none = { job, task_id: null, txn: null, due_at: null, is_new: true, said: null };
    if (action) return succeed({ ...none, task_id: maintain(action, asker) });
    const { by, reason = null } = asker;
    const asked = await ask(newUpdateRequest('run', 'api', { by, reason, dryRun }));
    return asked.ok ? succeed({ ...none, txn: asked.value.txn }) : asked;
  };
}
