import { existsSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import type { InspectAnswer } from '../../shared/contract/helper-answers.ts';
import { describeSqliteError } from './explain-database-error.ts';
import { findForbidden, type Migration } from './migrate-database.ts';
import type { Database } from './open-database.ts';

const BUSY_TIMEOUT_MS = 5_000;
const MAX_DETAIL_LENGTH = 2_000;

/**
 * What a program with these migrations makes of a database: whether it may run on it and whether it is sound. Looks only: nothing is
 * migrated and no page is changed; SQLite itself may put an index of a log beside it that a killed process left.
 */
export function inspectDatabase(path: string, migrations: readonly Migration[]): InspectAnswer {
  if (!existsSync(path)) {
    const detail = `There is no database at ${path}.`;
    return { exists: false, schema: null, compatible: true, sound: true, detail };
  }
  let database: Database | undefined;
  try {
    database = new SqliteDatabase(path, { readonly: true, timeout: BUSY_TIMEOUT_MS });
    return look(database, path, migrations);
  } catch (error) {
    const detail = `${path}: ${describeSqliteError(error)}.`.slice(0, MAX_DETAIL_LENGTH);
    return { exists: true, schema: null, compatible: false, sound: false, detail };
  } finally {
    database?.close();
  }
}

function look(database: Database, path: string, migrations: readonly Migration[]): InspectAnswer {
  const schema = Number(database.pragma('user_version', { simple: true }));
  const newest = migrations.at(-1)?.version ?? 0;
  const forbidden = hasHistory(database) ? findForbidden(database, newest) : undefined;
  const found = String(database.pragma('quick_check(1)', { simple: true }));
  const sound = found === 'ok';
  const detail = [
    `${path} has schema ${schema}.`,
    forbidden && `It is forbidden to this program. ${forbidden.failure.detail}`,
    !sound && `It is damaged: ${found}.`,
  ];
  return {
    exists: true,
    schema,
    compatible: !forbidden,
    sound,
    detail: detail.filter(Boolean).join(' ').slice(0, MAX_DETAIL_LENGTH),
  };
}

/** A database without the table of migrations is one that no program of ours has got to migrate. */
function hasHistory(database: Database): boolean {
  const query = `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'`;
  return database.prepare(query).get() !== undefined;
}
