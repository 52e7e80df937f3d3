import type { Database } from './open-database.ts';
import type { TaskRow } from './tasks.ts';

/** A task as it is now; `seq` is the number of its last change. */
export type ChangedTask = TaskRow & { readonly seq: number };

/** The last ten thousand changes of tasks, which triggers write down. */
export type TaskChangeTable = {
  /** The number of the last change and of the oldest that is still known; zero where there is none. */
  range(): { readonly oldest: number; readonly newest: number };
  /** The tasks that have changed after a change, each once, the latest change last. */
  listAfter(seq: number, limit: number): ChangedTask[];
};

/** Prepares the statements of the table. */
export function openTaskChangeTable(database: Database): TaskChangeTable {
  const range = database.prepare<[], { oldest: number; newest: number }>(
    // Two looks at the ends of the key; both in one would read all of it.
    `SELECT (SELECT coalesce(min(seq), 0) FROM task_changes) AS oldest,
       (SELECT coalesce(max(seq), 0) FROM task_changes) AS newest`,
  );
  const listAfter = database.prepare<[number, number], ChangedTask>(
    `SELECT task.*, change.seq FROM
       (SELECT task_id, max(seq) AS seq FROM task_changes WHERE seq > ? GROUP BY task_id) AS change
       JOIN tasks AS task ON task.id = change.task_id ORDER BY change.seq LIMIT ?`,
  );
  return {
    range: () => range.get() ?? { oldest: 0, newest: 0 },
    listAfter: (seq, limit) => listAfter.all(seq, limit),
  };
}
