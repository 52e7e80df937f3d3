import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { ScheduleRunView } from '../api/schedule-views.ts';
import { MAINTENANCE_ACTIONS } from '../domain/maintenance.ts';
import { SCHEDULED_JOBS } from '../domain/schedule.ts';
import type { Asker } from '../tasks/make-manual-task.ts';
import type { ManualTasks } from '../tasks/manual-tasks.ts';
import { type AskSupervisor, newUpdateRequest } from '../updates/ask-supervisor.ts';

/** Has a job of the schedule done now, at the word of a person; its due times stay as they are. */
export type RunScheduledJob = (name: string, asker: Asker) => Promise<Outcome<ScheduleRunView>>;

/** Joins it to what makes tasks and to the supervisor. */
export function createRunJob(parts: {
  readonly maintain: ManualTasks['maintain'];
  readonly ask: AskSupervisor;
  readonly dryRun: boolean;
}): RunScheduledJob {
  const { maintain, ask, dryRun } = parts;
  return async (name, asker) => {
    const job = SCHEDULED_JOBS.find((one) => one === name);
    if (!job) {
      return fail('SCHEDULE_JOB_NOT_FOUND', `The jobs are ${SCHEDULED_JOBS.join(', ')}.`);
    }
    const action = MAINTENANCE_ACTIONS.find((one) => one === job);
    if (action) return succeed({ job, task_id: maintain(action, asker), txn: null });
    const { by, reason = null } = asker;
    const asked = await ask(newUpdateRequest('run', 'api', { by, reason, dryRun }));
    return asked.ok ? succeed({ job, task_id: null, txn: asked.value.txn }) : asked;
  };
}
