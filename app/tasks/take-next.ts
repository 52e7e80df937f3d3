import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { chooseTask } from './choose-task.ts';

/**
 * Has the process that was started for `first`, and has ended its task, take the next one that waits: by the choice of the
 * dispatcher and within its bound, in one transaction. Undefined where none is to be begun, nor by this process: the
 * worker that started it is gone, is told to end, or lets an update have its turn.
 */
export function takeNext(store: Store, first: TaskRow, nowMs: number): TaskRow | undefined {
  const { executor, process, dispatched_at: startedAt } = first;
  if (executor === null || process === null || startedAt === null) return undefined;
  return store.transact(() => {
    // It is about to be killed, and what it would take on with it.
    if (store.tasks.listByProcess(process).some(isToBeKilled)) return undefined;
    const next = chooseTask(store, store.dispatching.slotsFor(startedAt), nowMs);
    if (!next || !store.tasks.markDispatched(next.id, executor, nowMs, process)) return undefined;
    store.taskLogs.append({
      ...{ task_id: next.id, ts: nowMs, level: 'info', action: 'task-dispatched' },
      ...{ summary: `Taken on by the process of ${first.id}.`, meta: null },
    });
    return store.tasks.find(next.id);
  });
}

function isToBeKilled({ force_stopped_at: at, killed_at: killed }: TaskRow): boolean {
  return at !== null && killed === null;
}
