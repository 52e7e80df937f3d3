import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Where the kernel gives no watch (inotify(7): limits are per user), somebody looks that often. */
const LOOK_EVERY_MS = 1_000;

/**
 * The log is written before its commit can be seen: in between the disk syncs, and the last step, in memory that is
 * shared, is no event. So it is told again, later and later, until surely somebody has looked behind it.
 */
const ECHOES_MS = [100, 400, 1_500, 5_000];

/** Something that is told of commits. */
export type CommitWatch = { close(): void };

/**
 * Tells of every commit to the database, whichever process made it: each one writes to the log beside it
 * (https://sqlite.org/wal.html), and the kernel tells of that. It tells of one commit several times, and of what was no commit.
 * `onChange` must be cheap. `isPolling` is told where it has to look by the clock instead.
 */
export function watchCommits(
  databasePath: string,
  onChange: () => void,
  onPolling: (error: unknown) => void = () => undefined,
): CommitWatch {
  const log = `${basename(databasePath)}-wal`;
  let timer: NodeJS.Timeout | undefined;
  let echoes: NodeJS.Timeout[] = [];
  const hush = () => {
    for (const echo of echoes) clearTimeout(echo);
  };
  const tell = () => {
    hush();
    echoes = ECHOES_MS.map((ms) => setTimeout(onChange, ms));
    onChange();
  };
  const poll = (error: unknown) => {
    if (timer) return;
    timer = setInterval(onChange, LOOK_EVERY_MS);
    onPolling(error);
  };
  try {
    // The folder, for the log comes and goes with those who use the database.
    const watcher = watch(dirname(databasePath), (_event, name) => {
      if (name === log) tell();
    });
    watcher.on('error', poll);
    return {
      close() {
        watcher.close();
        hush();
        clearInterval(timer);
      },
    };
  } catch (error) {
    poll(error);
    return { close: () => clearInterval(timer) };
  }
}
