import type { Database } from './open-database.ts';

/** A plan as it is stored. Times are milliseconds since the epoch. */
export type PlanRow = {
  readonly id: string;
  readonly unit: string;
  /** JSON: what was asked for, and what would be done. */
  readonly body: string;
  readonly created_at: number;
  readonly expires_at: number;
};

/** The plans table: what deployments would do, for a short while. */
export type PlanTable = {
  /** Forgets those whose time is over. */
  add(row: PlanRow): void;
  /** Undefined where there is none, or its time is over. */
  find(id: string, nowMs: number): PlanRow | undefined;
  /** False where it was carried out before. */
  remove(id: string): boolean;
};

/** Prepares the statements of the table. */
export function openPlanTable(database: Database): PlanTable {
  const expire = database.prepare('DELETE FROM plans WHERE expires_at <= ?');
  const insert = database.prepare(
    `INSERT INTO plans (id, unit, body, created_at, expires_at)
     VALUES (@id, @unit, @body, @created_at, @expires_at)`,
  );
  const find = database.prepare<[string, number], PlanRow>(
    'SELECT * FROM plans WHERE id = ? AND expires_at > ?',
  );
  const remove = database.prepare('DELETE FROM plans WHERE id = ?');
  return {
    add: (row) => {
      expire.run(row.created_at);
      insert.run(row);
    },
    find: (id, nowMs) => find.get(id, nowMs),
    remove: (id) => remove.run(id).changes === 1,
  };
}
