import type { ErrorCode } from '../../shared/contract/error-codes.ts';
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
  /** Images whose tag a registry did not tell when it was asked last, since `since`; the latest first. */
  listRefusals(since: number, limit: number): RefusalRow[];
  /** Units whose file has a fault, as they were found last. */
  listFaults(
    limit: number,
  ): { readonly unit: string; readonly fault: string; readonly at: number }[];
  /** What a person has seen, by the id of the item. */
  marks(): ReadonlyMap<string, AttentionMark>;
  /** A person has seen an item; an earlier word of it is replaced, and of all only the newest thousand are kept. */
  mark(id: string, mark: AttentionMark): void;
};

/** Who has seen an item, and when, in milliseconds. */
export type AttentionMark = { readonly seen_at: number; readonly seen_by: string };

/** A tag that a registry did not tell. */
export type RefusalRow = {
  readonly image: string;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly at: number;
};

const MARKS_KEPT = 1_000;

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
  const listRefusals = database.prepare<[number, number], RefusalRow>(
    `SELECT image, code, coalesce(detail, '') AS detail, checked_at AS at FROM registry_tags
     WHERE code IS NOT NULL AND checked_at >= ? ORDER BY checked_at DESC, image LIMIT ?`,
  );
  const listFaults = database.prepare<[number], { unit: string; fault: string; at: number }>(
    `SELECT unit, fault, first_seen_at AS at FROM discovered_units WHERE fault IS NOT NULL
     ORDER BY unit, source LIMIT ?`,
  );
  const marks = database.prepare<[], AttentionMark & { readonly id: string }>(
    'SELECT id, seen_at, seen_by FROM attention_marks',
  );
  const mark = database.prepare(
    `INSERT INTO attention_marks (id, seen_at, seen_by) VALUES (@id, @seen_at, @seen_by)
     ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, seen_by = excluded.seen_by`,
  );
  const forget = database.prepare(
    `DELETE FROM attention_marks WHERE id NOT IN
       (SELECT id FROM attention_marks ORDER BY seen_at DESC, id LIMIT ${MARKS_KEPT})`,
  );
  return {
    listRefusals: (since, limit) => listRefusals.all(since, limit),
    listFaults: (limit) => listFaults.all(limit),
    marks: () => new Map(marks.all().map(({ id, ...rest }) => [id, rest])),
    mark: database.transaction((id: string, { seen_at, seen_by }: AttentionMark) => {
      mark.run({ id, seen_at, seen_by });
      forget.run();
    }),
    listFailed: (limit) => listFailed.all(limit),
    listStuck: (before, limit) => listStuck.all({ ...before, limit }),
    listRateLimited: (limit) => listRateLimited.all(limit),
  };
}
