import type { Store } from '../db/store.ts';
import type { TaskRow } from '../db/tasks.ts';
import { isFinal } from '../domain/task.ts';
import type { CommitSource } from './live/commit-source.ts';

/** How long is waited: for so many milliseconds at most, and no longer once the database is about to be closed. */
export type Patience = { readonly limitMs: number; readonly leaving: AbortSignal };

/** Waits until a task has ended; what it is then, or where patience has come to its end. Undefined where it is not there. */
export async function untilEnded(
  { tasks }: Pick<Store, 'tasks'>,
  commits: CommitSource,
  id: string,
  { limitMs, leaving }: Patience,
): Promise<TaskRow | undefined> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    const task = tasks.find(id);
    if (!task || isFinal(task.status)) resolve();
  };
  const unsubscribe = commits.subscribe(look);
  const limit = setTimeout(resolve, limitMs);
  leaving.addEventListener('abort', () => resolve(), { once: true });
  try {
    if (leaving.aborted) resolve();
    look();
    await promise;
    return tasks.find(id);
  } finally {
    clearTimeout(limit);
    unsubscribe();
  }
}
