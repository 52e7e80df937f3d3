import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import type { Database } from './open-database.ts';
import type { TaskRow, TaskRun } from './tasks.ts';

/** How a task is closed whose processes are about to be killed. */
export type ForcedEnd = {
  readonly by: string;
  readonly summary: string;
  readonly errorCode: ErrorCode;
  readonly errorDetail: string;
  readonly at: number;
};

/** Tasks that a person ends by force: closed first, so that no process of theirs can write any more, then killed. */
export type ForceStops = {
  /** running or pending -> cancelled; false when it has ended already or another attempt runs. */
  forceStop(run: TaskRun, end: ForcedEnd): boolean;
  /** Nothing is left of its processes. */
  setKilled(id: string, at: number): void;
  /** Those of which something may be left. */
  listUnkilled(): TaskRow[];
};

/** Prepares the statements. */
export function prepareForceStops(database: Database): ForceStops {
  // What has not begun has no process.
  const forceStop =
    database.prepare(`UPDATE tasks SET status = 'cancelled', phase = 'done', summary = @summary,
    error_code = @errorCode, error_detail = @errorDetail, finished_at = @at, updated_at = @at,
    force_stopped_at = @at, force_stopped_by = @by, killed_at = CASE status WHEN 'pending' THEN @at END
    WHERE id = @id AND attempts = @attempts AND status IN ('pending', 'running')`);
  const setKilled = database.prepare(
    'UPDATE tasks SET killed_at = ? WHERE id = ? AND force_stopped_at IS NOT NULL AND killed_at IS NULL',
  );
  const listUnkilled = database.prepare<[], TaskRow>(
    `SELECT * FROM tasks WHERE force_stopped_at IS NOT NULL AND killed_at IS NULL ORDER BY created_at, id`,
  );
  return {
    forceStop: ({ id, attempts }, end) => forceStop.run({ ...end, id, attempts }).changes === 1,
    setKilled: (id, at) => void setKilled.run(at, id),
    listUnkilled: () => listUnkilled.all(),
  };
}
