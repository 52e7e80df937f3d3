import type { Database } from './open-database.ts';
import type { TaskRow } from './tasks.ts';

/** Why a task waits that could begin otherwise. */
type WaitReason = NonNullable<TaskRow['waits_for']>;

/** Pending tasks that wait for their time. */
export type TaskWaits = {
  /** A pending task is not begun before; false where it is not pending any more. */
  putOff(id: string, notBefore: number, why: WaitReason, at: number): boolean;
  /** A pending task that waits for its time need not wait any more. */
  hasten(id: string, at: number): void;
  /** Those that wait for this reason, the oldest first, at most `limit`. */
  listWaiting(why: WaitReason, limit: number): TaskRow[];
};

/** Prepares the statements. */
export function prepareWaits(database: Database): TaskWaits {
  const putOff = database.prepare(
    `UPDATE tasks SET not_before = ?, waits_for = ?, updated_at = ? WHERE id = ? AND status = 'pending'`,
  );
  const hasten = database.prepare(
    `UPDATE tasks SET not_before = NULL, waits_for = NULL, updated_at = ? WHERE id = ? AND status = 'pending'`,
  );
  const listWaiting = database.prepare<[string, number], TaskRow>(
    `SELECT * FROM tasks WHERE status = 'pending' AND status IN ('pending', 'running') AND waits_for = ?
     ORDER BY created_at, id LIMIT ?`,
  );
  return {
    putOff: (id, notBefore, why, at) => putOff.run(notBefore, why, at, id).changes === 1,
    hasten: (id, at) => void hasten.run(at, id),
    listWaiting: (why, limit) => listWaiting.all(why, limit),
  };
}
