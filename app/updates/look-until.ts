import { watch } from 'node:fs';

/** Where to look again: at each change of an entry of the folder, or of the one with that name. */
export type LookedAt = { readonly folder: string; readonly name?: string };

/**
 * Looks now and after each change until `look` gives something, and gives that; undefined when `signal` ends it. The
 * kernel says what changes; nothing is asked for over and over.
 * @throws the system's error where the folder cannot be watched, and what `look` throws.
 */
export function lookUntil<T>(
  { folder, name }: LookedAt,
  signal: AbortSignal,
  look: () => T | undefined,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const watcher = watch(folder);
    const end = (settle: () => void) => {
      watcher.close();
      signal.removeEventListener('abort', giveUp);
      settle();
    };
    const giveUp = () => end(() => resolve(undefined));
    const lookAgain = () => {
      try {
        const found = look();
        if (found !== undefined) end(() => resolve(found));
      } catch (error) {
        end(() => reject(error));
      }
    };
    watcher.on('error', (error) => end(() => reject(error)));
    watcher.on('change', (_kind, changed) => {
      // A busy database in the same folder is no reason to look. Without a name it may be anything.
      if (name === undefined || changed === null || changed === name) lookAgain();
    });
    if (signal.aborted) {
      giveUp();
      return;
    }
    signal.addEventListener('abort', giveUp);
    // Only now, with the watch in place: a change from here on is told.
    lookAgain();
  });
}
