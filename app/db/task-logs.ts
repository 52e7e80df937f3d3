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

/** Which part of a log: entries behind `after`, at most `limit`. */
export type LogRange = { readonly after: number; readonly limit: number };

/** The task_logs table, append only. */
export type TaskLogTable = {
  append(entry: Omit<TaskLogRow, 'id'>): void;
  /**
   * In the order in which they were written; at most 2000 from the first on where nothing else is said, and no more than
   * some megabytes, but one at least.
   */
  listByTask(taskId: string, range?: LogRange): TaskLogRow[];
  /** Those of a task that were written after an entry. */
  listAfter(taskId: string, id: number): TaskLogPart;
  /** Those of all tasks that were written after an entry. */
  listNewer(id: number): TaskLogPart;
  /** The id of the last entry; zero where there is none. */
  newest(): number;
  /** Whether there are entries behind one. */
  hasMore(taskId: string, after: number): boolean;
  /** The number of the newest entry; 0 where there is none. */
  findLast(taskId: string): number;
  countWarnings(taskId: string): number;
};

const FIRST: LogRange = { after: 0, limit: 2000 };
/** The output of commands makes entries long: so many characters are one answer at most, and one entry more. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** Prepares the statements of the table. */
export function openTaskLogTable(database: Database): TaskLogTable {
  const append = database.prepare(
    `INSERT INTO task_logs (task_id, ts, level, action, summary, meta)
     VALUES (@task_id, @ts, @level, @action, @summary, @meta)`,
  );
  const list = database.prepare<[string, number, number], TaskLogRow>(
    'SELECT * FROM task_logs WHERE task_id = ? AND id > ? ORDER BY id LIMIT ?',
  );
  const listAfter = database.prepare<[string, number], TaskLogRow>(
    'SELECT * FROM task_logs WHERE task_id = ? AND id > ? ORDER BY id',
  );
  const listNewer = database.prepare<[number], TaskLogRow>(
    'SELECT * FROM task_logs WHERE id > ? ORDER BY id',
  );
  const newest = database.prepare<[], number>('SELECT coalesce(max(id), 0) FROM task_logs').pluck();
  const hasMore = database.prepare<[string, number]>(
    'SELECT 1 FROM task_logs WHERE task_id = ? AND id > ? LIMIT 1',
  );
  const findLast = database
    .prepare<[string], number | null>('SELECT max(id) FROM task_logs WHERE task_id = ?')
    .pluck();
  const countWarnings = database
    .prepare<[string], number>(
      `SELECT count(*) FROM task_logs WHERE task_id = ? AND level = 'warning'`,
    )
    .pluck();
  return {
    append: (entry) => void append.run(entry),
    listAfter: (taskId, id) => takePart(listAfter.iterate(taskId, id)),
    listNewer: (id) => takePart(listNewer.iterate(id)),
    newest: () => newest.get() ?? 0,
    listByTask: (taskId, { after, limit } = FIRST) => {
      const rows: TaskLogRow[] = [];
      let characters = 0;
      for (const row of list.iterate(taskId, after, limit)) {
        rows.push(row);
        characters += row.summary.length + (row.meta?.length ?? 0);
        if (characters > MAX_CHARACTERS) break;
      }
      return rows;
    },
    hasMore: (taskId, after) => hasMore.get(taskId, after) !== undefined,
    findLast: (taskId) => findLast.get(taskId) ?? 0,
    countWarnings: (taskId) => countWarnings.get(taskId) ?? 0,
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
