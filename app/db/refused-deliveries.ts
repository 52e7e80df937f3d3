import type { Database } from './open-database.ts';

/** Webhooks of one address, path and reason that were refused within a minute. Times are milliseconds since the epoch. */
export type RefusedDelivery = {
  readonly first_at: number;
  readonly last_at: number;
  readonly address: string;
  readonly path: string;
  readonly code: string;
  /** Why a hook was not opened; null where the code says it all. */
  readonly reason: string | null;
  readonly count: number;
  /** Of the first of them; null where it was refused before its body was read. */
  readonly body_bytes: number | null;
  readonly body: string | null;
};

/** The refused_deliveries table. */
export type RefusedDeliveryTable = {
  /** In one transaction; of all rows only the newest 2,000 stay. */
  insertAll(rows: readonly RefusedDelivery[]): void;
  /** The newest first, those with a smaller id than `before`. */
  list(limit: number, before?: number): (RefusedDelivery & { readonly id: number })[];
};

/** Anybody can make them. */
const MAX_ROWS = 2_000;

/** Prepares the statements of the table. */
export function openRefusedDeliveryTable(database: Database): RefusedDeliveryTable {
  const insert = database.prepare(
    `INSERT INTO refused_deliveries (first_at, last_at, address, path, code, reason, count, body_bytes, body)
     VALUES (@first_at, @last_at, @address, @path, @code, @reason, @count, @body_bytes, @body)`,
  );
  const trim = database.prepare(
    `DELETE FROM refused_deliveries WHERE id <= (SELECT max(id) FROM refused_deliveries) - ${MAX_ROWS}`,
  );
  const list = database.prepare<[number, number], RefusedDelivery & { readonly id: number }>(
    'SELECT * FROM refused_deliveries WHERE id < ? ORDER BY id DESC LIMIT ?',
  );
  const insertAll = database.transaction((rows: readonly RefusedDelivery[]) => {
    for (const row of rows) insert.run(row);
    trim.run();
  });
  return {
    insertAll: (rows) => insertAll.immediate(rows),
    list: (limit, before = Number.MAX_SAFE_INTEGER) => list.all(before, limit),
  };
}
