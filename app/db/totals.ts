import type { Database } from './open-database.ts';

/** How often something has happened, ever; the triggers of the tables count it. */
export type TotalRow = {
  readonly name: 'task' | 'task-failure' | 'rollback' | 'delivery';
  /** Of a task its kind, of a failure or a rollback its code, of a delivery its verdict; `missed`: there was none. */
  readonly first: string;
  /** Of a task its status, of a delivery the reason why it was ignored, of a missed one what has found it; else empty. */
  readonly second: string;
  readonly count: number;
};

/** Deployments that took so long from the push on. */
export type PushRow = {
  /** The upper bound; zero of what took longer than all bounds. */
  readonly le_ms: number;
  readonly count: number;
  readonly sum_ms: number;
};

/** What a monitor is told of the database, each in one question whatever the number of units. */
export type Totals = {
  list(): TotalRow[];
  listPushes(): PushRow[];
  /** When the oldest task was made that waits; null where none does. In milliseconds since the epoch. */
  oldestPendingAt(): number | null;
};

/** Prepares the statements. */
export function openTotals(database: Database): Totals {
  const list = database.prepare<[], TotalRow>('SELECT * FROM totals');
  const pushes = database.prepare<[], PushRow>('SELECT * FROM push_to_running');
  const oldest = database
    .prepare<[], number | null>(
      `SELECT min(created_at) FROM tasks
       WHERE status IN ('pending', 'running') AND status = 'pending'`,
    )
    .pluck();
  return {
    list: () => list.all(),
    listPushes: () => pushes.all(),
    oldestPendingAt: () => oldest.get() ?? null,
  };
}
