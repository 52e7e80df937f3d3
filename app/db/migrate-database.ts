import { createHash } from 'node:crypto';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { describeSqliteError, explainDatabaseError } from './explain-database-error.ts';
import type { Database } from './open-database.ts';

/** One numbered file of `migrations/`. */
export type Migration = { readonly version: number; readonly name: string; readonly sql: string };

const CREATE_HISTORY = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  older_program TEXT NOT NULL CHECK (older_program IN ('may-run', 'must-not-run')),
  program_version TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT`;

/**
 * Brings the schema up to date: each migration in one transaction together with its row and `user_version`, so that a
 * crash leaves it either whole or absent. The row goes in first, so that two migrators collide at once. Refuses a
 * database that a newer program has changed in a way which its migration forbids to older ones.
 * @returns the schema version that the database now has.
 */
export function migrateDatabase(
  database: Database,
  migrations: readonly Migration[],
  program: { readonly version: string; readonly nowMs: number },
): Outcome<number> {
  try {
    const applied = listApplied(database);
    if (!applied) database.exec(CREATE_HISTORY);
    const newest = migrations.at(-1)?.version ?? 0;
    const forbidden = findForbidden(database, newest);
    if (forbidden) return forbidden;
    const missing = migrations.filter(({ version }) => !applied?.has(version));
    for (const migration of missing) applyOnce(database, migration, program);
    return succeed(readSchemaVersion(database));
  } catch (error) {
    const code = explainDatabaseError(error)?.code ?? 'DATABASE_UNAVAILABLE';
    return fail(code, `Migration failed: ${describeSqliteError(error)}.`);
  }
}

/**
 * By their numbers; undefined where none ever was. Most openings find nothing missing, and need not wait for whoever writes
 * just now.
 */
function listApplied(database: Database): ReadonlySet<number> | undefined {
  const find = database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'`);
  if (find.get() === undefined) return undefined;
  const list = database.prepare<[], number>('SELECT version FROM schema_migrations').pluck();
  return new Set(list.all());
}

/** The number of the newest migration that the database has seen. */
function readSchemaVersion(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}

/** The migration of a newer program that forbids the database to one whose newest is `newest`; undefined: none does. */
export function findForbidden(database: Database, newest: number) {
  const row = database
    .prepare<[number], { name: string; program_version: string }>(
      `SELECT name, program_version FROM schema_migrations
       WHERE version > ? AND older_program = 'must-not-run' ORDER BY version LIMIT 1`,
    )
    .get(newest);
  if (!row) return undefined;
  return fail('DATABASE_SCHEMA_NEWER', `Migration ${row.name} of version ${row.program_version}.`);
}

function applyOnce(
  database: Database,
  migration: Migration,
  program: { readonly version: string; readonly nowMs: number },
): void {
  const apply = database.transaction(() => {
    const applied = database
      .prepare('SELECT 1 FROM schema_migrations WHERE version = ?')
      .get(migration.version);
    if (applied) return;
    database
      .prepare('INSERT INTO schema_migrations VALUES (?, ?, ?, ?, ?, ?)')
      .run(
        migration.version,
        migration.name,
        createHash('sha256').update(migration.sql).digest('hex'),
        readOlderProgram(migration),
        program.version,
        program.nowMs,
      );
    database.exec(migration.sql);
    database.pragma(`user_version = ${migration.version}`);
  });
  // IMMEDIATE takes the write lock before the check, so that a second migrator waits and then finds it done.
  apply.immediate();
}

/** What the first line of a migration says: `-- older-program: may-run` or `-- older-program: must-not-run`. */
function readOlderProgram(migration: Migration): string {
  const match = /^-- older-program: (may-run|must-not-run)\n/.exec(migration.sql);
  if (!match?.[1]) throw new Error(`${migration.name} does not say whether older programs may run`);
  return match[1];
}
