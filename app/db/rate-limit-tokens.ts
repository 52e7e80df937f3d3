import type { Database } from './open-database.ts';

/** When calls were let through, of each kind that is limited. */
export type RateLimitTable = {
  /** The moments of the newest calls in milliseconds, at most `limit`. */
  list(bucket: string, limit: number): readonly number[];
  /** Forgets those of the bucket that are older than `keepMs`. */
  add(bucket: string, atMs: number, keepMs: number): void;
  /** Those of all buckets whose name begins so, since `sinceMs`: the newest first in each, at most `limit`. */
  listLike(prefix: string, sinceMs: number, limit: number): readonly RateLimitToken[];
  /** Forgets all of a bucket; how many. */
  release(bucket: string): number;
};

/** A call that was let through. */
export type RateLimitToken = { readonly bucket: string; readonly at: number };

/** Prepares the statements of the table. */
export function openRateLimitTable(database: Database): RateLimitTable {
  const list = database
    .prepare<[string, number], number>(
      'SELECT at FROM rate_limit_tokens WHERE bucket = ? ORDER BY at DESC LIMIT ?',
    )
    .pluck();
  const expire = database.prepare('DELETE FROM rate_limit_tokens WHERE bucket = ? AND at <= ?');
  const insert = database.prepare('INSERT INTO rate_limit_tokens (bucket, at) VALUES (?, ?)');
  const listLike = database.prepare<object, RateLimitToken>(
    `SELECT bucket, at FROM rate_limit_tokens WHERE bucket >= @from AND bucket < @to AND at > @since
     ORDER BY bucket, at DESC LIMIT @limit`,
  );
  const release = database.prepare('DELETE FROM rate_limit_tokens WHERE bucket = ?');
  return {
    // No character comes behind the last one.
    listLike: (prefix, since, limit) =>
      listLike.all({ from: prefix, to: `${prefix}\u{10ffff}`, since, limit }),
    release: (bucket) => release.run(bucket).changes,
    list: (bucket, limit) => list.all(bucket, limit),
    add: (bucket, atMs, keepMs) => {
      expire.run(bucket, atMs - keepMs);
      insert.run(bucket, atMs);
    },
  };
}
