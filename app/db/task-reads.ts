import type { Database } from './open-database.ts';
import type { TaskRow, TaskTable } from './tasks.ts';

/** The questions to the tasks table. */
type Reads = Pick<
  TaskTable,
  | 'find'
  | 'list'
  | 'findPending'
  | 'listDispatchable'
  | 'nextDue'
  | 'listRunning'
  | 'countRunning'
  | 'listByProcess'
  | 'lastTurn'
>;

/** Prepares the questions to the table. */
export function prepareTaskReads(database: Database): Reads {
  const find = database.prepare<[string], TaskRow>('SELECT * FROM tasks WHERE id = ?');
  const findPending = database.prepare<[string, string | null], TaskRow>(
    // The second condition on the state says no more than the first; it lets SQLite use the index of open tasks.
    // A task that is to bring a version that a person chose, or goes on with what an earlier attempt has begun, or is to
    // be stopped, does not answer a push.
    `SELECT * FROM tasks WHERE unit = ? AND image IS ? AND status = 'pending'
       AND status IN ('pending', 'running') AND kind <> 'manual' AND stop_requested_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM deployments WHERE task_id = tasks.id AND stage <> 'ended')
     ORDER BY created_at DESC, id DESC LIMIT 1`,
  );
  const listDispatchable = database.prepare<object, TaskRow>(
    `SELECT * FROM tasks AS task WHERE status = 'pending' AND status IN ('pending', 'running')
       AND coalesce(not_before, 0) <= @now AND NOT EXISTS (SELECT 1 FROM tasks AS other WHERE other.unit = task.unit
         AND other.status IN ('pending', 'running') AND (
         other.status = 'running' OR (other.status = 'pending'
           AND (other.created_at, other.id) < (task.created_at, task.id)
           -- One that waits for its time holds nobody back, unless it has touched the unit.
           AND (coalesce(other.not_before, 0) <= @now OR EXISTS (SELECT 1 FROM deployments
             WHERE task_id = other.id AND stage <> 'ended')))))
       -- Units on one tag one after the other: each gives it another image for as long as it is tried.
       AND NOT EXISTS (SELECT 1 FROM tasks AS twin WHERE twin.image = task.image
         AND twin.status = 'running' AND twin.status IN ('pending', 'running'))
     ORDER BY created_at, id LIMIT @limit`,
  );
  const nextDue = database
    .prepare<[number], number | null>(`SELECT min(not_before) FROM tasks
       WHERE status = 'pending' AND status IN ('pending', 'running') AND not_before > ?`)
    .pluck();
  const listRunning = database.prepare<[], TaskRow>(
    `SELECT * FROM tasks WHERE status = 'running' ORDER BY created_at, id`,
  );
  const countRunning = database
    .prepare<[], number>(`SELECT count(*) FROM tasks
       WHERE status = 'running' AND status IN ('pending', 'running')`)
    .pluck();
  const listByProcess = database.prepare<[string], TaskRow>(
    'SELECT * FROM tasks WHERE process = ?',
  );
  const lastTurn = database
    .prepare<[string], number | null>('SELECT max(dispatched_at) FROM tasks WHERE unit = ?')
    .pluck();
  const list = prepareList(database);
  return {
    find: (id) => find.get(id),
    list,
    listByProcess: (process) => listByProcess.all(process),
    lastTurn: (unit) => lastTurn.get(unit) ?? undefined,
    findPending: (unit, image) => findPending.get(unit, image),
    listDispatchable: (limit, nowMs) => listDispatchable.all({ now: nowMs, limit }),
    nextDue: (nowMs) => nextDue.get(nowMs) ?? undefined,
    listRunning: () => listRunning.all(),
    countRunning: () => countRunning.get() ?? 0,
  };
}

function prepareList(database: Database): TaskTable['list'] {
  return ({ limit, status, unit, before }) => {
    const conditions = ['1'];
    const parameters: (string | number)[] = [];
    if (status !== undefined) {
      conditions.push('status = ?');
      parameters.push(status);
    }
    if (unit !== undefined) {
      conditions.push('unit = ?');
      parameters.push(unit);
    }
    if (before !== undefined) {
      conditions.push('(created_at, id) < (?, ?)');
      parameters.push(before.createdAt, before.id);
    }
    return database
      .prepare<(string | number)[], TaskRow>(
        `SELECT * FROM tasks WHERE ${conditions.join(' AND ')}
         ORDER BY created_at DESC, id DESC LIMIT ?`,
      )
      .all(...parameters, limit);
  };
}
