import SqliteDatabase from 'better-sqlite3';
import type { Failure } from '../../shared/contract/outcome.ts';
import { explainDatabaseError } from './explain-database-error.ts';

/** Somebody who writes meanwhile is not waited for: that is no illness. */
const TIMEOUT_MS = 100;

/**
 * What a process that opens the database now would find: a connection that has been open for long reads the first pages
 * from its memory, and does not see that they are gone. Undefined where it is well, as far as that shows.
 */
export function glanceAtDatabase(path: string): Failure | undefined {
  let database: SqliteDatabase.Database | undefined;
  try {
    database = new SqliteDatabase(path, { readonly: true, timeout: TIMEOUT_MS });
    database.prepare('SELECT count(*) FROM schema_migrations').get();
    return undefined;
  } catch (error) {
    return explainDatabaseError(error);
  } finally {
    database?.close();
  }
}
