import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { describeSqliteError, explainDatabaseError } from './explain-database-error.ts';
import type { Database } from './open-database.ts';

/** What is asked of the database itself. */
export type DatabaseChecks = {
  /** One trivial read; says why it cannot be done. */
  check(): Outcome<void>;
  /** One write that changes nothing, synced; says why it cannot be done. */
  checkWrite(): Outcome<void>;
  /** Reads all pages that tables and indexes stand on, which takes long; says what is wrong with them. */
  checkWhole(): Outcome<void>;
  /** When the newest row was written that tells of something, in milliseconds; null where there is none. */
  newestAt(): number | null;
  /** Writes all of it to a new file, as it is at this moment. Throws what SQLite throws. */
  copyInto(file: string): void;
};

/** Prepares the questions by which a database is known to be well, and the copy by which its content is kept. */
export function prepareChecks(database: Database): DatabaseChecks {
  const read = database.prepare('SELECT count(*) FROM schema_migrations');
  const write = database.prepare(
    'UPDATE schema_migrations SET name = name WHERE version = (SELECT max(version) FROM schema_migrations)',
  );
  const newest = database
    .prepare<[], number | null>(
      `SELECT max(at) FROM (SELECT max(created_at) AS at FROM tasks UNION ALL SELECT max(received_at) FROM deliveries
         UNION ALL SELECT ts FROM events WHERE id = (SELECT max(id) FROM events))`,
    )
    .pluck();
  const copy = database.prepare('VACUUM INTO ?');
  return {
    check: () => attempt(() => void read.get()),
    checkWrite: () => attempt(() => void write.run()),
    checkWhole: () => {
      const found = attempt(() => String(database.pragma('quick_check(1)', { simple: true })));
      if (!found.ok) return found;
      return found.value === 'ok'
        ? succeed(undefined)
        : fail('DATABASE_DAMAGED', `${found.value}.`);
    },
    newestAt: () => newest.get() ?? null,
    copyInto: (file) => void copy.run(file),
  };
}

function attempt<T>(act: () => T): Outcome<T> {
  try {
    return succeed(act());
  } catch (error) {
    const failure = explainDatabaseError(error);
    return failure
      ? { ok: false, failure }
      : fail('DATABASE_UNAVAILABLE', `${describeSqliteError(error)}.`);
  }
}
