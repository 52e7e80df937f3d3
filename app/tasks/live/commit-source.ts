import type { Logger } from 'pino';
import { type CommitWatch, watchCommits } from '../../db/watch-commits.ts';

/** Tells of commits as long as anybody wants to know; nothing is watched for nobody. */
export type CommitSource = {
  /** `listener` must be cheap. Gives what ends it. */
  subscribe(listener: () => void): () => void;
};

/** Watches the database for all who subscribe. */
export function createCommitSource(databasePath: string, log: Logger): CommitSource {
  const listeners = new Set<() => void>();
  let watch: CommitWatch | undefined;
  const open = () =>
    watchCommits(
      databasePath,
      () => {
        for (const listener of listeners) listener();
      },
      (error) =>
        log.warn({ err: error }, 'the database cannot be watched; it is looked at instead'),
    );
  return {
    subscribe(listener) {
      listeners.add(listener);
      watch ??= open();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        watch?.close();
        watch = undefined;
      };
    },
  };
}
