import type { Database } from './open-database.ts';

/** How far each segment of the intake spool has been taken over into the database. */
export type SpoolSegmentTable = {
  /** Bytes of the segment that are done with; 0 for one that is not known. */
  consumedBytes(name: string): number;
  /** To be called in the transaction that takes the entries over. */
  setConsumed(name: string, bytes: number): void;
  /** All that are known, at most 10,000. */
  listNames(): string[];
  /** Forgets a segment whose file is gone. */
  forget(name: string): void;
};

/** Prepares the statements of the table. */
export function openSpoolSegmentTable(database: Database): SpoolSegmentTable {
  const read = database
    .prepare<[string], number>('SELECT consumed_bytes FROM spool_segments WHERE name = ?')
    .pluck();
  const write = database.prepare(
    `INSERT INTO spool_segments (name, consumed_bytes) VALUES (?, ?)
     ON CONFLICT (name) DO UPDATE SET consumed_bytes = excluded.consumed_bytes`,
  );
  const names = database
    .prepare<[], string>('SELECT name FROM spool_segments ORDER BY name LIMIT 10000')
    .pluck();
  const remove = database.prepare('DELETE FROM spool_segments WHERE name = ?');
  return {
    consumedBytes: (name) => read.get(name) ?? 0,
    setConsumed: (name, bytes) => void write.run(name, bytes),
    listNames: () => names.all(),
    forget: (name) => void remove.run(name),
  };
}
