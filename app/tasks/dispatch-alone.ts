import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { lockFileWithin } from '../../shared/fs/lock-file.ts';
import { createDispatcher, type DispatcherParts } from './create-dispatcher.ts';
import { createCommitSource } from './live/commit-source.ts';

/** Something may have changed that is not seen, such as a task whose time has come. */
const LOOK_EVERY_MS = 1_000;

/** Of another process that does the same: it ends within what its tasks may take. */
const LOCK_WITHIN_MS = 86_400_000;

type Parts = Omit<DispatcherParts, 'commits' | 'onLost'>;

/**
 * Has everything that waits carried out by this process, where no worker does, and settles when nothing is left that may
 * begin or runs, or `signal` is aborted. One process does so at a time, for a dispatcher takes what others have begun for
 * lost; one that comes later waits, and mostly finds nothing left. A worker that starts meanwhile takes over what runs.
 */
export async function dispatchAlone(parts: Parts, signal: AbortSignal): Promise<Outcome<void>> {
  const { dispatchLock } = parts.loaded.paths;
  const locked = await lockFileWithin(dispatchLock, LOCK_WITHIN_MS, signal);
  if (signal.aborted) return succeed(undefined);
  if (!locked.ok) return locked;
  try {
    await dispatchUntilIdle(parts, signal);
    return succeed(undefined);
  } finally {
    locked.value.release();
  }
}

async function dispatchUntilIdle(parts: Parts, signal: AbortSignal): Promise<void> {
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
