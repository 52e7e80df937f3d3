import { existsSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import type { InspectAnswer } from '../../shared/contract/helper-answers.ts';
import { findForbidden, type Migration } from './migrate-database.ts';
import { describeSqliteError } from './open-database.ts';

/** What a program with these migrations makes of a database. Nothing is migrated. */
export function inspectDatabase(path: string, migrations: readonly Migration[]): InspectAnswer {
  if (!existsSync(path)) {
    return { exists: false, schema: null, compatible: true, sound: true, detail: '' };
  }
  let database: SqliteDatabase.Database | undefined;
  try {
    database = new SqliteDatabase(path, { fileMustExist: true });
    const found = String(database.pragma('quick_check(1)', { simple: true }));
    const schema = Number(database.pragma('user_version', { simple: true }));
    const forbidden = hasHistory(database)
      ? findForbidden(database, migrations.at(-1)?.version ?? 0)
      : undefined;
    return {
      exists: true,
      schema,
      compatible: forbidden === undefined,
      sound: found === 'ok',
      detail: [found === 'ok' ? '' : found, forbidden?.failure.detail ?? ''].join(' ').trim(),
    };
  } catch (error) {
    const detail = describeSqliteError(error).slice(0, 500);
    return { exists: true, schema: null, compatible: false, sound: false, detail };
  } finally {
    database?.close();
  }
}

/** A database that no program has migrated yet forbids nothing. */
function hasHistory(database: SqliteDatabase.Database): boolean {
  const query = `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'`;
  return database.prepare(query).get() !== undefined;
}
