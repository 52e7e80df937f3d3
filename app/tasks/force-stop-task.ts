import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { describeCutOff } from '../domain/force-stop.ts';
import { stepTask } from '../domain/task-life.ts';
import { readDeployment } from './deploy-memory.ts';
import { letGoOfUnits } from './podman-auto-update-units.ts';
import { lifeOf } from './task-view.ts';

/** Who wants it, when, and at which other host the task works. */
export type ForceStop = {
  readonly by: string;
  readonly nowMs: number;
  readonly target: string | undefined;
};

/**
 * Closes a task at once, so that nothing its processes still write counts; they are to be killed then. What it has begun
 * with its unit stays on record: the next deployment of the unit takes the way back from there. Asking again changes
 * nothing. The row as it is then. Fails with TASK_NOT_FOUND and, where it has ended otherwise, TASK_ENDED.
 */
export function forceStopTask(
  store: Store,
  id: string,
  { by, nowMs, target }: ForceStop,
): Outcome<TaskRow> {
  return store.transact(() => {
    const task = store.tasks.find(id);
    if (!task) return fail('TASK_NOT_FOUND', '');
    if (task.force_stopped_at !== null) return succeed(task);
    const step = stepTask(lifeOf(task), { kind: 'force-stop', attempt: task.attempts });
    if (step.kind === 'refused') {
      return fail('TASK_ENDED', `It is ${task.status}: ${task.summary}`);
    }
    const found = readDeployment(store.deployments.find(id));
    const deployment = found?.stage === 'ended' ? undefined : found;
    const summary = describeCutOff({ ...task, deployment, target });
    const why = { errorCode: 'TASK_FORCE_STOPPED', errorDetail: `By ${by}.` } as const;
    store.tasks.forceStop(task, { by, summary, ...why, at: nowMs });
    store.deployments.setCause(id, why.errorCode, why.errorDetail);
    letGoOfUnits(store, task);
    store.taskLogs.append({
      ...{ task_id: id, ts: nowMs, level: 'warning', action: 'task-force-stopped' },
      ...{ summary: `Force-stopped by ${by}.`, meta: null },
    });
    return succeed(store.tasks.find(id) ?? task);
  });
}
