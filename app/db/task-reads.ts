import { MAINTENANCE_UNIT } from '../domain/maintenance.ts';
import type { TaskStatus } from '../domain/task.ts';
import type { Database } from './open-database.ts';
import type { TaskRow, TaskTable } from './tasks.ts';

/** The questions to the tasks table. */
type Reads = Pick<
  TaskTable,
  | 'find'
  | 'findMaintenance'
  | 'findOpenAutoUpdate'
  | 'findPending'
  | 'findPendingRetry'
  | 'listRetries'
  | 'isCurrent'
  | 'listDispatchable'
  | 'nextDue'
  | 'listRunning'
  | 'countRunning'
  | 'countOpen'
  | 'statusesOf'
  | 'listByProcess'
  | 'lastTurn'
>;

/** Prepares the questions to the table. */
export function prepareTaskReads(database: Database): Reads {
  const find = database.prepare<[string], TaskRow>('SELECT * FROM tasks WHERE id = ?');
  const findMaintenance = database.prepare<[string, string], TaskRow>(
    `SELECT * FROM tasks WHERE unit = ? AND kind = 'maintenance' AND input ->> 'maintenance' = ?
     ORDER BY created_at DESC, id DESC LIMIT 1`,
  );
  const findOpenAutoUpdate = database.prepare<[string], TaskRow>(
    `SELECT * FROM tasks WHERE status IN ('pending', 'running') AND input ->> 'podmanAutoUpdate' = ?
     ORDER BY created_at, id LIMIT 1`,
  );
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
       -- Nor while something of a task that was force-stopped may still be at the unit, or at its tag.
       AND NOT EXISTS (SELECT 1 FROM tasks AS dying WHERE dying.force_stopped_at IS NOT NULL
         AND dying.killed_at IS NULL AND (dying.unit = task.unit OR dying.image = task.image))
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
  const findPendingRetry = database.prepare<[string], TaskRow>(
    `SELECT * FROM tasks WHERE retry_of = ? AND status = 'pending' AND stop_requested_at IS NULL
     ORDER BY created_at, id LIMIT 1`,
  );
  const listRetries = database
    .prepare<[string], string>(
      'SELECT id FROM tasks WHERE retry_of = ? ORDER BY created_at, id LIMIT 100',
    )
    .pluck();
  const isCurrent = database.prepare<[string, number]>(
    `SELECT 1 FROM tasks WHERE id = ? AND attempts = ? AND status = 'running'`,
  );
  const listByProcess = database.prepare<[string], TaskRow>(
    'SELECT * FROM tasks WHERE process = ?',
  );
  const lastTurn = database
    .prepare<[string], number | null>('SELECT max(dispatched_at) FROM tasks WHERE unit = ?')
    .pluck();
  return {
    find: (id) => find.get(id),
    findMaintenance: (action) => findMaintenance.get(MAINTENANCE_UNIT, action),
    findOpenAutoUpdate: (mode) => findOpenAutoUpdate.get(mode),
    listByProcess: (process) => listByProcess.all(process),
    lastTurn: (unit) => lastTurn.get(unit) ?? undefined,
    findPending: (unit, image) => findPending.get(unit, image),
    findPendingRetry: (retryOf) => findPendingRetry.get(retryOf),
    listRetries: (id) => listRetries.all(id),
    isCurrent: ({ id, attempts }) => isCurrent.get(id, attempts) !== undefined,
    listDispatchable: (limit, nowMs) => listDispatchable.all({ now: nowMs, limit }),
    nextDue: (nowMs) => nextDue.get(nowMs) ?? undefined,
    listRunning: () => listRunning.all(),
    countRunning: () => countRunning.get() ?? 0,
    ...prepareLooks(database),
  };
}

/** What is asked again and again for those who watch. */
function prepareLooks(database: Database): Pick<TaskTable, 'countOpen' | 'statusesOf'> {
  const countOpen = database.prepare<[], { pending: number; running: number }>(
    `SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
       count(*) FILTER (WHERE status = 'running') AS running
     FROM tasks WHERE status IN ('pending', 'running')`,
  );
  const statuses = database
    .prepare<[string], [string, TaskStatus]>(
      'SELECT id, status FROM tasks WHERE id IN (SELECT value FROM json_each(?))',
    )
    .raw();
  return {
    countOpen: () => countOpen.get() ?? { pending: 0, running: 0 },
    statusesOf: (ids) => new Map(statuses.all(JSON.stringify(ids))),
  };
}
