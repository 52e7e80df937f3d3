import { watch } from 'node:fs';

/** Where to look again: at each change of an entry of the folder, or of those with these names. */
export type LookedAt = { readonly folder: string; readonly names?: readonly string[] };

/**
 * Looks now and after each change until `look` gives something, and gives that; undefined when `signal` ends it. The
 * kernel says what changes; nothing is asked for over and over. One look at a time: a change during one leads to one
 * more.
 * @throws the system's error where the folder cannot be watched, and what `look` throws.
 */
export function lookUntil<T>(
  { folder, names }: LookedAt,
  signal: AbortSignal,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      resolve(undefined);
      return;
    }
    const watcher = watch(folder);
    let isOver = false;
    let isLooking = false;
    let isWanted = false;
    const end = (settle: () => void) => {
      isOver = true;
      watcher.close();
      signal.removeEventListener('abort', giveUp);
      settle();
    };
    const giveUp = () => end(() => resolve(undefined));
    const lookWhileWanted = async () => {
      while (isWanted && !isOver) {
        isWanted = false;
        const found = await look();
        if (found !== undefined) end(() => resolve(found));
      }
      isLooking = false;
    };
    const lookAgain = () => {
      isWanted = true;
      if (isLooking) return;
      isLooking = true;
      lookWhileWanted().catch((error: unknown) => end(() => reject(error)));
    };
    watcher.on('error', (error) => end(() => reject(error)));
    watcher.on('change', (_kind, changed) => {
      // A busy database in the same folder is no reason to look. Without a name it may be anything.
      if (!names || changed === null || names.includes(String(changed))) lookAgain();
    });
    signal.addEventListener('abort', giveUp);
    // Only now, with the watch in place: a change from here on is told.
    lookAgain();
  });
}
