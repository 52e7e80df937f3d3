import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import type { RateWindow } from '../domain/rate-window.ts';
import { beginNext } from './begin-task.ts';

/**
 * Has the process that was started for `first`, and has ended its task, take the next one that waits: by the choice of the
 * dispatcher and within its bounds, in one transaction. Undefined where none is to be begun, nor by this process: the
 * worker that started it is gone, is told to end, or lets an update have its turn.
 */
export function takeNext(
  store: Store,
  first: TaskRow,
  limit: RateWindow,
  nowMs: number,
): TaskRow | undefined {
  const { executor, process, dispatched_at: startedAt } = first;
  if (executor === null || process === null || startedAt === null) return undefined;
  return store.transact(() => {
    // It is about to be killed, and what it would take on with it.
    if (store.tasks.listByProcess(process).some(isToBeKilled)) return undefined;
    const slots = store.dispatching.slotsFor(startedAt);
    const said = `Taken on by the process of ${first.id}.`;
    return beginNext(store, { slots, limit, nowMs }, { executor, process, said });
  });
}

function isToBeKilled({ force_stopped_at: at, killed_at: killed }: TaskRow): boolean {
  return at !== null && killed === null;
}
