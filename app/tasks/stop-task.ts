import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { stepTask } from '../domain/task-life.ts';
import { lifeOf } from './task-view.ts';

/**
 * Has a task end because a person (`by`) wants it: one that has not begun at once, one that runs as soon as its unit is
 * proven on the old image or, where it cannot go back, on the new one. Asking again changes nothing. The row as it is
 * then; `wake` is to be called for one that runs. Fails with TASK_NOT_FOUND and TASK_ENDED.
 */
export function stopTask(store: Store, id: string, by: string, nowMs: number): Outcome<TaskRow> {
  return store.transact(() => {
    const task = store.tasks.find(id);
    if (!task) return fail('TASK_NOT_FOUND', '');
    const step = stepTask(lifeOf(task), { kind: 'request-stop' });
    if (step.kind === 'refused' && step.why === 'ended') {
      return fail('TASK_ENDED', `It is ${task.status}: ${task.summary}`);
    }
    store.tasks.requestStop(id, by, nowMs);
    const stage = store.deployments.find(id)?.stage ?? 'ended';
    // A unit that an earlier attempt has touched is brought back by the next one.
    if (task.status === 'pending' && stage === 'ended') {
      const summary = `${task.unit} was not touched: the task was stopped before it began.`;
      store.taskLogs.append({
        ...{ task_id: id, ts: nowMs, level: 'warning', action: 'stop-requested' },
        ...{ summary: `Stopped by ${by}.`, meta: null },
      });
      store.tasks.finish(task, { status: 'cancelled', summary, at: nowMs });
    }
    return succeed(store.tasks.find(id) ?? task);
  });
}
