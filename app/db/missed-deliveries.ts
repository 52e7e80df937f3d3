import type { Database } from './open-database.ts';

/** A push that no delivery told of. Times are milliseconds since the epoch. */
export type MissedDeliveryRow = {
  readonly id: number;
  readonly found_at: number;
  /** What has found it. */
  readonly found_by: 'sweep';
  readonly unit: string;
  readonly image: string;
  /** What the tag meant before; null where that was not known. */
  readonly former_digest: string | null;
  readonly digest: string;
  /** What deploys it; null once that is no longer kept. */
  readonly task_id: string | null;
};

/** The missed_deliveries table. */
export type MissedDeliveryTable = {
  insert(row: Omit<MissedDeliveryRow, 'id'>): void;
  /** The newest first, those with a smaller id than `before`. */
  list(limit: number, before?: number): MissedDeliveryRow[];
  /** How many were found since then, and the last of them. */
  countSince(since: number): {
    readonly count: number;
    readonly last_at: number | null;
    readonly units: number;
  };
};

/** Prepares the statements of the table. */
export function openMissedDeliveryTable(database: Database): MissedDeliveryTable {
  const insert = database.prepare(
    `INSERT INTO missed_deliveries (found_at, found_by, unit, image, former_digest, digest, task_id)
     VALUES (@found_at, @found_by, @unit, @image, @former_digest, @digest, @task_id)`,
  );
  const list = database.prepare<[number, number], MissedDeliveryRow>(
    'SELECT * FROM missed_deliveries WHERE id < ? ORDER BY id DESC LIMIT ?',
  );
  const count = database.prepare<[number], ReturnType<MissedDeliveryTable['countSince']>>(
    `SELECT count(*) AS count, max(found_at) AS last_at, count(DISTINCT unit) AS units FROM missed_deliveries
     WHERE found_at >= ?`,
  );
  return {
    insert: (row) => void insert.run(row),
    list: (limit, before = Number.MAX_SAFE_INTEGER) => list.all(before, limit),
    countSince: (since) => count.get(since) ?? { count: 0, last_at: null, units: 0 },
  };
}
