import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Where the kernel gives no watch (inotify(7): limits are per user), somebody looks that often. */
const LOOK_EVERY_MS = 1_000;

/** Something that is told of commits. */
export type CommitWatch = { close(): void };

/**
 * Tells of every commit to the database, whichever process made it: each one writes to the log beside it
 * (https://sqlite.org/wal.html), and the kernel tells of that. It may tell of one commit several times, and of what was no commit.
 * `onChange` must be cheap. `isPolling` is told where it has to look by the clock instead.
 */
export function watchCommits(
  databasePath: string,
  onChange: () => void,
  onPolling: (error: unknown) => void = () => undefined,
): CommitWatch {
  const log = `${basename(databasePath)}-wal`;
  let timer: NodeJS.Timeout | undefined;
  const poll = (error: unknown) => {
    if (timer) return;
    timer = setInterval(onChange, LOOK_EVERY_MS);
    onPolling(error);
  };
  try {
    // The folder, for the log comes and goes with those who use the database.
    const watcher = watch(dirname(databasePath), (_event, name) => {
      if (name === log) onChange();
    });
    watcher.on('error', poll);
    return {
      close() {
        watcher.close();
        clearInterval(timer);
      },
    };
  } catch (error) {
    poll(error);
    return { close: () => clearInterval(timer) };
  }
}
