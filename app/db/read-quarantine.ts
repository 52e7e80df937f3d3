import { existsSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { describeSqliteError } from './explain-database-error.ts';
import type { QuarantineRow } from './quarantined-images.ts';

/**
 * What is in quarantine in a database that this program need not be able to use: of another version, or damaged elsewhere. Fails with
 * DATABASE_UNAVAILABLE; nothing is there where there is no database.
 */
export function readQuarantine(path: string, nowMs: number): Outcome<readonly QuarantineRow[]> {
  if (!existsSync(path)) return succeed([]);
  let database: SqliteDatabase.Database | undefined;
  try {
    // Not read-only: the log beside it may hold the newest of it.
    database = new SqliteDatabase(path, { fileMustExist: true });
    const rows = database
      .prepare<[number], QuarantineRow>(
        'SELECT * FROM quarantined_images WHERE expires_at IS NULL OR expires_at > ?',
      )
      .all(nowMs);
    // Columns that the first version of the table did not have.
    return succeed(rows.map((row) => Object.assign({ image_id: null, guard: null }, row)));
  } catch (error) {
    return fail('DATABASE_UNAVAILABLE', `${path}: ${describeSqliteError(error)}.`);
  } finally {
    database?.close();
  }
}
