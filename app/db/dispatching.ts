import type { Database } from './open-database.ts';

/** The dispatching table: one row, by which the worker tells the processes of tasks how many tasks may run at a time. */
export type DispatchingTable = {
  /** A worker begins to dispatch: processes that an earlier one has started take no more tasks. */
  begin(since: number, slots: number): void;
  /** How many may run from now on; 0: no more is begun. */
  setSlots(slots: number): void;
  /** The same as it is for a process that was started at `startedAt`. */
  slotsFor(startedAt: number): number;
};

/** Prepares the statements of the table. */
export function openDispatchingTable(database: Database): DispatchingTable {
  const begin = database.prepare(
    `INSERT INTO dispatching (id, since, slots) VALUES (1, ?, ?)
     ON CONFLICT (id) DO UPDATE SET since = excluded.since, slots = excluded.slots`,
  );
  const setSlots = database.prepare('UPDATE dispatching SET slots = ?');
  const slots = database
    .prepare<[number], number>('SELECT slots FROM dispatching WHERE since <= ?')
    .pluck();
  return {
    begin: (since, count) => void begin.run(since, count),
    setSlots: (count) => void setSlots.run(count),
    slotsFor: (startedAt) => slots.get(startedAt) ?? 0,
  };
}
