import type { Database } from './open-database.ts';

/** One entry of the log of a task. `meta` is JSON text. */
export type TaskLogRow = {
  readonly id: number;
  readonly task_id: string;
  readonly ts: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly action: string;
  readonly summary: string;
  readonly meta: string | null;
};

/** A part of a log, in the order in which it was written: at most 500 entries and some 256 KiB. */
export type TaskLogPart = {
  readonly rows: readonly TaskLogRow[];
  /** There is no more. */
  readonly isEnd: boolean;
};

const PART_ROWS = 500;
const PART_CHARACTERS = 262_144;

/** The task_logs table, append only. */
export type TaskLogTable = {
  append(entry: Omit<TaskLogRow, 'id'>): void;
  /** In the order in which they were written, at most 2000. */
  listByTask(taskId: string): TaskLogRow[];
  /** Those of a task that were written after an entry. */
  listAfter(taskId: string, id: number): TaskLogPart;
  /** Those of all tasks that were written after an entry. */
  listNewer(id: number): TaskLogPart;
  /** The id of the last entry; zero where there is none. */
  newest(): number;
};

/** Prepares the statements of the table. */
export function openTaskLogTable(database: Database): TaskLogTable {
  const append = database.prepare(
    `INSERT INTO task_logs (task_id, ts, level, action, summary, meta)
     VALUES (@task_id, @ts, @level, @action, @summary, @meta)`,
  );
  const list = database.prepare<[string], TaskLogRow>(
    'SELECT * FROM task_logs WHERE task_id = ? ORDER BY id LIMIT 2000',
  );
  const listAfter = database.prepare<[string, number], TaskLogRow>(
    'SELECT * FROM task_logs WHERE task_id = ? AND id > ? ORDER BY id',
  );
  const listNewer = database.prepare<[number], TaskLogRow>(
    'SELECT * FROM task_logs WHERE id > ? ORDER BY id',
  );
  const newest = database.prepare<[], number>('SELECT coalesce(max(id), 0) FROM task_logs').pluck();
  return {
    append: (entry) => void append.run(entry),
    listByTask: (taskId) => list.all(taskId),
    listAfter: (taskId, id) => takePart(listAfter.iterate(taskId, id)),
    listNewer: (id) => takePart(listNewer.iterate(id)),
    newest: () => newest.get() ?? 0,
  };
}

function takePart(entries: Iterable<TaskLogRow>): TaskLogPart {
  const rows: TaskLogRow[] = [];
  let characters = 0;
  for (const row of entries) {
    if (rows.length === PART_ROWS || characters >= PART_CHARACTERS) return { rows, isEnd: false };
    rows.push(row);
    characters += row.summary.length + (row.meta?.length ?? 0);
  }
  return { rows, isEnd: true };
}
