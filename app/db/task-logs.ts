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

/** The task_logs table, append only. */
export type TaskLogTable = {
  append(entry: Omit<TaskLogRow, 'id'>): void;
  /** In the order in which they were written, at most 2000. */
  listByTask(taskId: string): TaskLogRow[];
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
  return {
    append: (entry) => void append.run(entry),
    listByTask: (taskId) => list.all(taskId),
  };
}
