import { createDispatcher, type DispatcherParts } from './create-dispatcher.ts';
import { createCommitSource } from './live/commit-source.ts';

/** Something may have changed that is not seen, such as a task whose time has come. */
const LOOK_EVERY_MS = 1_000;

/**
 * Has everything that waits carried out by this process, where no worker does, and settles when nothing is left that may
 * begin or runs, or `signal` is aborted. A worker that starts meanwhile takes over what runs; both may dispatch at a time, for
 * each choice is one transaction.
 */
export async function dispatchAlone(
  parts: Omit<DispatcherParts, 'commits' | 'onLost'>,
  signal: AbortSignal,
): Promise<void> {
  const { store, log, loaded } = parts;
  const commits = createCommitSource(loaded.paths.database, log);
  const dispatcher = createDispatcher({ ...parts, commits, onLost: () => {} });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => {
    try {
      const isIdle =
        store.tasks.countRunning() === 0 &&
        store.tasks.listDispatchable(1, Date.now()).length === 0;
      if (isIdle || signal.aborted) resolve();
    } catch (error) {
      reject(error);
    }
  };
  const unsubscribe = commits.subscribe(look);
  const timer = setInterval(look, LOOK_EVERY_MS);
  signal.addEventListener('abort', look);
  try {
    await dispatcher.recover();
    look();
    await promise;
  } finally {
    signal.removeEventListener('abort', look);
    clearInterval(timer);
    unsubscribe();
    dispatcher.close();
  }
}
