import type { Logger } from 'pino';
import type { Outcome } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import { MAINTENANCE_ACTIONS } from '../domain/maintenance.ts';
import { makeMaintenanceTask } from '../tasks/make-maintenance-task.ts';
import { REAL_CLOCK } from './clock.ts';
import { createSchedule, type JobWork, type Schedule } from './create-schedule.ts';
import { processMark } from './process-mark.ts';
import { type PlannedJob, planJobs, type ScheduleSettings } from './schedule-jobs.ts';

/** What the schedule of a worker is joined to. */
export type ScheduleJoint = {
  readonly settings: ScheduleSettings;
  readonly store: Store;
  readonly log: Logger;
  /** Asks for an update of this program. */
  readonly askForUpdate: () => Promise<Outcome<string>>;
  /** There is a new task. */
  readonly onTask: () => void;
  /** A job has begun as a task. */
  readonly onBegun: (job: string, taskId: string) => void;
};

/** The schedule of a worker: every job that is not off. */
export function joinSchedule(joint: ScheduleJoint): Schedule {
  const { settings, store, log, onBegun } = joint;
  return createSchedule({
    jobs: planJobs(settings).flatMap(({ name, timed }) =>
      timed ? [{ ...timed, work: workOf(joint, name) }] : [],
    ),
    ...{ store, log, clock: REAL_CLOCK, mark: processMark() },
    onTick: ({ job, beginning }) => {
      if (beginning.kind === 'task') onBegun(job, beginning.taskId);
    },
  });
}

function workOf({ store, onTask, askForUpdate }: ScheduleJoint, name: PlannedJob['name']): JobWork {
  const action = MAINTENANCE_ACTIONS.find((one) => one === name);
  if (!action) return { kind: 'call', call: askForUpdate };
  const make = () => makeMaintenanceTask(store, action, 'schedule');
  return { kind: 'task', make, onMade: onTask };
}
