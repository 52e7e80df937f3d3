import type { Database } from './open-database.ts';

/** A request that was answered and carried the key, with what it was answered. */
export type IdempotencyRow = {
  readonly key: string;
  /** Of path and body: by that another request under the same key is known. */
  readonly request_sha256: string;
  readonly status: number;
  /** JSON. */
  readonly answer: string;
  /** In milliseconds. */
  readonly created_at: number;
};

/** How long an answer is given again. */
export const IDEMPOTENCY_LIFE_MS = 86_400_000;
/** The newest that are kept, however young the others are. */
const MAX_ROWS = 10_000;

/** The keys by which clients ask again without doing again. */
export type IdempotencyTable = {
  /** Undefined where there is none, or its time is over. */
  find(key: string, nowMs: number): IdempotencyRow | undefined;
  /** Forgets those whose time is over, and the oldest beyond ten thousand. */
  add(row: IdempotencyRow): void;
};

/** Prepares the statements of the table. */
export function openIdempotencyTable(database: Database): IdempotencyTable {
  const find = database.prepare<[string, number], IdempotencyRow>(
    'SELECT * FROM idempotency_keys WHERE key = ? AND created_at > ?',
  );
  const expire = database.prepare('DELETE FROM idempotency_keys WHERE created_at <= ?');
  const shrink = database.prepare(
    `DELETE FROM idempotency_keys WHERE created_at <= (SELECT created_at FROM idempotency_keys
       ORDER BY created_at DESC LIMIT 1 OFFSET ?)`,
  );
  const insert = database.prepare(
    `INSERT OR REPLACE INTO idempotency_keys (key, request_sha256, status, answer, created_at)
     VALUES (@key, @request_sha256, @status, @answer, @created_at)`,
  );
  return {
    find: (key, nowMs) => find.get(key, nowMs - IDEMPOTENCY_LIFE_MS),
    add: (row) => {
      expire.run(row.created_at - IDEMPOTENCY_LIFE_MS);
      shrink.run(MAX_ROWS - 1);
      insert.run(row);
    },
  };
}
