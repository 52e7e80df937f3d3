import type { Database } from './open-database.ts';

/** When calls were let through, of each kind that is limited. */
export type RateLimitTable = {
  /** The moments of the newest calls in milliseconds, at most `limit`. */
  list(bucket: string, limit: number): readonly number[];
  /** Forgets those of the bucket that are older than `keepMs`. */
  add(bucket: string, atMs: number, keepMs: number): void;
};

/** Prepares the statements of the table. */
export function openRateLimitTable(database: Database): RateLimitTable {
  const list = database
    .prepare<[string, number], number>(
      'SELECT at FROM rate_limit_tokens WHERE bucket = ? ORDER BY at DESC LIMIT ?',
    )
    .pluck();
  const expire = database.prepare('DELETE FROM rate_limit_tokens WHERE bucket = ? AND at <= ?');
  const insert = database.prepare('INSERT INTO rate_limit_tokens (bucket, at) VALUES (?, ?)');
  return {
    list: (bucket, limit) => list.all(bucket, limit),
    add: (bucket, atMs, keepMs) => {
      expire.run(bucket, atMs - keepMs);
      insert.run(bucket, atMs);
    },
  };
}
