import type { Database } from './open-database.ts';
import type { TaskRow } from './tasks.ts';

/** What is asked of the tables for those who look after this host; each by one statement, and bounded. */
export type AttentionTable = {
  /** Of each unit the last task that went wrong and was followed by no success, the newest first; none of maintenance. */
  listFailed(limit: number): TaskRow[];
  /**
   * Open tasks that do not get on, the oldest first: begun before `begunBefore` and not over, or waiting though their time
   * came before `dueBefore`.
   */
  listStuck(
    before: { readonly begunBefore: number; readonly dueBefore: number },
    limit: number,
  ): TaskRow[];
  /** Waiting tasks whose registry limits the rate, the oldest first. */
  listRateLimited(limit: number): TaskRow[];
};

/** Prepares the statements. */
export function openAttentionTable(database: Database): AttentionTable {
  const listFailed = database.prepare<[number], TaskRow>(
    // The last one of each unit by an index that holds all that is asked; then only those that are shown are read.
    `SELECT tasks.* FROM (
       SELECT unit, max(created_at) AS at FROM tasks
       WHERE status IN ('failed', 'unknown', 'anomaly') AND kind <> 'maintenance' GROUP BY unit
     ) AS bad JOIN tasks ON tasks.unit = bad.unit AND tasks.created_at = bad.at
       AND tasks.status IN ('failed', 'unknown', 'anomaly')
     WHERE NOT EXISTS (SELECT 1 FROM tasks AS later WHERE later.unit = bad.unit AND later.created_at > bad.at
       AND later.status = 'succeeded')
     GROUP BY tasks.unit ORDER BY tasks.created_at DESC, tasks.id DESC LIMIT ?`,
  );
  const listStuck = database.prepare<object, TaskRow>(
    `SELECT * FROM tasks WHERE status IN ('pending', 'running') AND (
       (status = 'running' AND dispatched_at < @begunBefore)
       OR (status = 'pending' AND max(coalesce(not_before, created_at), created_at) < @dueBefore))
     ORDER BY created_at, id LIMIT @limit`,
  );
  const listRateLimited = database.prepare<[number], TaskRow>(
    `SELECT * FROM tasks WHERE status = 'pending' AND status IN ('pending', 'running') AND rate_limit_waits > 0
     ORDER BY created_at, id LIMIT ?`,
  );
  return {
    listFailed: (limit) => listFailed.all(limit),
    listStuck: (before, limit) => listStuck.all({ ...before, limit }),
    listRateLimited: (limit) => listRateLimited.all(limit),
  };
}
