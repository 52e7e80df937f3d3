import { chmodSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { makeDirectoryDurably } from '../../shared/fs/durable-file.ts';
import { describeSqliteError, explainDatabaseError } from './explain-database-error.ts';
import { prepareToShrink } from './shrink-database.ts';

/** An open database. Only files of app/db write SQL. */
export type Database = SqliteDatabase.Database;

/** Another process (a task) may hold the write lock for a few milliseconds; a stuck one must not hang us. */
const BUSY_TIMEOUT_MS = 5_000;
const BUSY_LOOK_EVERY_MS = 10;

/**
 * Opens the database, making file and folder where they are missing: readable by this user only, WAL, every commit
 * synced. Does not migrate.
 */
export function openDatabase(path: string): Outcome<Database> {
  try {
    makeDirectoryDurably(dirname(path));
    const isNew = !existsSync(path);
    const database = new SqliteDatabase(path, { timeout: BUSY_TIMEOUT_MS });
    if (isNew) chmodSync(path, 0o600);
    if (isNew) prepareToShrink(database);
    becomeWal(database);
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    return succeed(database);
  } catch (error) {
    const code = explainDatabaseError(error)?.code ?? 'DATABASE_UNAVAILABLE';
    return fail(code, `${path}: ${describeSqliteError(error)}.`);
  }
}

/**
 * SQLite says SQLITE_BUSY at once, and does not wait, where somebody writes in the mode from before the change
 * (https://sqlite.org/pragma.html#pragma_journal_mode): another process that is making the same new database.
 */
function becomeWal(database: Database): void {
  const until = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      database.pragma('journal_mode = WAL');
      return;
    } catch (error) {
      const { code } = error as { readonly code?: string };
      if (code !== 'SQLITE_BUSY' || performance.now() >= until) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_LOOK_EVERY_MS);
    }
  }
}
