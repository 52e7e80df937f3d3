import type { Logger } from 'pino';
import type { Outcome } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import type { ScheduledJob } from '../domain/schedule.ts';
import { makeMaintenanceTask } from '../tasks/make-maintenance-task.ts';
import { REAL_CLOCK } from './clock.ts';
import { createSchedule, type JobWork, type Schedule } from './create-schedule.ts';
import { processMark } from './process-mark.ts';
import { planJobs, type ScheduleSettings } from './schedule-jobs.ts';
import { actionOf, beginTask, type IdleReason } from './scheduled-tasks.ts';

/** What the schedule of a worker is joined to. */
export type ScheduleJoint = {
  readonly settings: ScheduleSettings;
  readonly store: Store;
  readonly log: Logger;
  /** Asks for an update of this program. */
  readonly askForUpdate: () => Promise<Outcome<string>>;
  readonly idle: IdleReason;
  /** There is a new task of that job. */
  readonly onTask: (job: ScheduledJob) => void;
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

function workOf(joint: ScheduleJoint, name: ScheduledJob): JobWork {
  const { store, idle, onTask, askForUpdate } = joint;
  const action = actionOf(name);
  if (!action) return { kind: 'call', call: askForUpdate };
  const make = () => makeMaintenanceTask(store, action, 'schedule');
  const begin = () => beginTask(action, idle, make);
  return { kind: 'task', begin, onMade: () => onTask(name) };
}
