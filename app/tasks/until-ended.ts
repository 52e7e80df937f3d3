import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { isFinal } from '../domain/task.ts';
import type { CommitSource } from './live/commit-source.ts';

/** Waits until a task has ended, for `limitMs` at most; what it is then. Undefined where it is not there. */
export async function untilEnded(
  { tasks }: Pick<Store, 'tasks'>,
  commits: CommitSource,
  id: string,
  limitMs: number,
): Promise<TaskRow | undefined> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    const task = tasks.find(id);
    if (!task || isFinal(task.status)) resolve();
  };
  const unsubscribe = commits.subscribe(look);
  const limit = setTimeout(resolve, limitMs);
  try {
    look();
    await promise;
    return tasks.find(id);
  } finally {
    clearTimeout(limit);
    unsubscribe();
  }
}
