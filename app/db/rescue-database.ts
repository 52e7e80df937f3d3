import { chmodSync, existsSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { makeDirectoryDurably, renameDurably } from '../../shared/fs/durable-file.ts';
import { realFiles } from '../../shared/fs/files.ts';
import { describeSqliteError, explainDatabaseError } from './explain-database-error.ts';
import { type DatabaseFiles, identifyDatabase } from './identify-database.ts';

const SIDES = ['-wal', '-shm', '-journal'] as const;

/**
 * Writes everything that an open connection still reads of a database whose files have no name any more to a file beside
 * its path, whole and synced, and gives the name of that. `copyInto` is the connection's. Fails with DATABASE_DISK_FULL,
 * DATABASE_DAMAGED and DATABASE_MISSING, that also where the folder is on another file system: what is written below the
 * place of a volume that is not mounted is hidden when that comes back. Nothing is changed then.
 */
export function rescueDatabase(
  path: string,
  open: DatabaseFiles,
  copyInto: (file: string) => void,
): Outcome<string> {
  const staged = `${path}.rescued`;
  if (findDevice(dirname(path)) !== open.device) {
    return fail('DATABASE_MISSING', `${dirname(path)} is on another file system now.`);
  }
  try {
    makeDirectoryDurably(dirname(path));
    for (const side of ['', ...SIDES]) rmSync(`${staged}${side}`, { force: true });
    copyInto(staged);
    chmodSync(staged, 0o600);
    const file = realFiles.openToAppend(staged, 0o600);
    try {
      realFiles.sync(file);
    } finally {
      realFiles.close(file);
    }
    return succeed(staged);
  } catch (error) {
    rmSync(staged, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    const isFull = code === 'ENOSPC' || code === 'EDQUOT';
    const name = isFull ? 'DATABASE_DISK_FULL' : explainDatabaseError(error)?.code;
    return fail(name ?? 'DATABASE_MISSING', `${path}: ${describeSqliteError(error)}.`);
  }
}

/**
 * Gives a copy that was rescued whole, but whose name a crash kept back, the name of the database where there is none. One that
 * was cut off is removed. Nobody may have either open.
 */
export function adoptRescued(path: string): void {
  const staged = `${path}.rescued`;
  if (!existsSync(staged)) return;
  if (!existsSync(path) && isSound(staged)) {
    removeSides(path);
    renameDurably(staged, path);
  } else {
    for (const side of ['', ...SIDES]) rmSync(`${staged}${side}`, { force: true });
  }
}

function isSound(path: string): boolean {
  let database: SqliteDatabase.Database | undefined;
  try {
    database = new SqliteDatabase(path, { readonly: true });
    const isWhole = database.pragma('quick_check(1)', { simple: true }) === 'ok';
    return isWhole && database.prepare('SELECT 1 FROM schema_migrations').get() !== undefined;
  } catch {
    return false;
  } finally {
    database?.close();
  }
}

/** Of a folder, or of what is left above it. */
function findDevice(folder: string): number | undefined {
  const stats = statSync(folder, { throwIfNoEntry: false });
  return stats || folder === dirname(folder) ? stats?.dev : findDevice(dirname(folder));
}

/**
 * Gives a rescued copy the name of the database. The connection that it was made from may still be open: SQLite touches
 * nothing at a path that is not its own file's any more. What another process still writes into the files that lost their
 * names is lost, and its task begins again. A file of somebody else at the path is kept beside it.
 */
export function placeRescued(
  staged: string,
  path: string,
  keepAs: string | undefined,
): Outcome<void> {
  try {
    if (keepAs !== undefined && existsSync(path)) renameDurably(path, keepAs);
    removeSides(path);
    renameDurably(staged, path);
    return succeed(undefined);
  } catch (error) {
    return fail('DATABASE_MISSING', `${path}: ${(error as NodeJS.ErrnoException).code}.`);
  }
}

/** What lies at the path of an open database: that one itself, nothing or nothing of worth, or another one. */
export type Occupant = 'own' | 'worthless' | 'other';

/**
 * Tells what lies there; another database with content was put there by a person. The log of the open one is taken from
 * beside it first: it would be read into the other.
 */
export function findOccupant(path: string, open: DatabaseFiles): Occupant {
  const now = identifyDatabase(path);
  if (now.database === open.database) return 'own';
  if (now.log === open.log) removeSides(path);
  if (now.database === null) return 'worthless';
  let database: SqliteDatabase.Database | undefined;
  try {
    database = new SqliteDatabase(path, { readonly: true });
    return database.prepare(SOME_CONTENT).pluck().get() === 1 ? 'other' : 'worthless';
  } catch {
    return 'worthless';
  } finally {
    database?.close();
  }
}

/** A process that began meanwhile has made an empty one. */
const SOME_CONTENT = `SELECT EXISTS (SELECT 1 FROM tasks) OR EXISTS (SELECT 1 FROM deliveries)
  OR EXISTS (SELECT 1 FROM quarantined_images)`;

/**
 * The log of a damaged database is kept under another name where another database lies at the path now: it would be read
 * into that one. `former` is what lay there; nobody may have it open.
 */
export function setStaleLogAside(path: string, former: DatabaseFiles): void {
  const now = identifyDatabase(path);
  if (now.database === former.database || now.log === null || now.log !== former.log) return;
  renameDurably(`${path}-wal`, `${path}.damaged-wal`);
  removeSides(path);
}

/** A log beside another database would be read into that one. */
function removeSides(path: string): void {
  for (const side of SIDES) rmSync(`${path}${side}`, { force: true });
  realFiles.syncDirectory(dirname(path));
}
