import { chmodSync, existsSync, rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { BackupAnswer } from '../../shared/contract/helper-answers.ts';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { realBulkFiles } from '../../shared/fs/bulk-files.ts';
import { makeDirectoryDurably, renameDurably } from '../../shared/fs/durable-file.ts';
import { realFiles } from '../../shared/fs/files.ts';
import { describeSqliteError } from './explain-database-error.ts';
import { type Database, openDatabase } from './open-database.ts';

const NOTHING: BackupAnswer = { kind: 'none', sha256: null, bytes: 0, schema: null };

/** So many pages at a time that there is one step: nobody else waits in this process. */
const ALL_PAGES = 2 ** 31 - 1;
/** What a copy needs besides its own size: its journal and the folder. */
const SPARE_BYTES = 1024 * 1024;
/** How long others who use the database are waited for; they do not hinder the copy. */
const OTHERS_MS = 250;

/**
 * Copies the database to `file`, whole or not at all: through SQLite, so that it may be in use, then checked, synced
 * and given its name. The copy is one file that needs nothing beside it; it has no
 * sessions of people. Does not migrate. What was at `file` is
 * replaced.
 */
export async function backUpDatabase(path: string, file: string): Promise<Outcome<BackupAnswer>> {
  if (!existsSync(path)) return succeed(NOTHING);
  const opened = openDatabase(path);
  if (!opened.ok) return fail('UPDATE_BACKUP_FAILED', opened.failure.detail);
  const partial = `${file}.partial`;
  try {
    const room = findRoom(opened.value, file);
    if (!room.ok) return room;
    removeCopy(partial);
    const copied = await copyTo(opened.value, partial);
    if (copied.ok) renameDurably(partial, file);
    return copied;
  } catch (error) {
    const detail = `${path} to ${file}: ${describeSqliteError(error)}.`;
    return fail(isFull(error) ? 'UPDATE_DISK_FULL' : 'UPDATE_BACKUP_FAILED', detail);
  } finally {
    opened.value.close();
    removeCopy(partial);
  }
}

function findRoom(database: Database, file: string): Outcome<void> {
  makeDirectoryDurably(dirname(file));
  const { bavail, bsize } = statfsSync(dirname(file));
  const pragma = (name: string) => Number(database.pragma(name, { simple: true }));
  const needed = pragma('page_count') * pragma('page_size') + SPARE_BYTES;
  if (bavail * bsize >= needed) return succeed(undefined);
  return fail(
    'UPDATE_DISK_FULL',
    `The backup needs ${needed} bytes in ${dirname(file)}, ${bavail * bsize} are free.`,
  );
}

async function copyTo(database: Database, partial: string): Promise<Outcome<BackupAnswer>> {
  // Not needed for the copy: where nobody else writes, the file by itself is all of the database from now on.
  database.pragma(`busy_timeout = ${OTHERS_MS}`);
  database.pragma('wal_checkpoint(TRUNCATE)');
  await database.backup(partial, { progress: () => ALL_PAGES });
  chmodSync(partial, 0o600);
  const checked = checkCopy(partial);
  if (!checked.ok) return checked;
  sync(partial);
  const sha256 = await realBulkFiles.hash(partial);
  const bytes = realFiles.facts(partial)?.bytes ?? 0;
  return succeed({ kind: 'copy', sha256, bytes, schema: checked.value });
}

/** The schema of a copy that is sound. */
function checkCopy(partial: string): Outcome<number> {
  const copy = new SqliteDatabase(partial);
  try {
    // Without a log of its own, which would have to be kept together with it.
    copy.pragma('journal_mode = DELETE');
    const found = String(copy.pragma('quick_check(1)', { simple: true }));
    if (found !== 'ok') return fail('UPDATE_BACKUP_FAILED', `The database is damaged: ${found}.`);
    endSessions(copy);
    return succeed(Number(copy.pragma('user_version', { simple: true })));
  } finally {
    copy.close();
  }
}

/**
 * Whoever signed out must not be signed in again by a copy that is put back, nor a former cookie fit: it has no sessions. A copy
 * that an earlier program makes of an older database has no such table.
 */
function endSessions(copy: SqliteDatabase.Database): void {
  const find = copy.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'access_sessions'`);
  if (find.get() !== undefined) copy.exec('DELETE FROM access_sessions');
}

/** SQLite syncs what it writes, but as it was told for the source. */
function sync(path: string): void {
  const file = realFiles.openToAppend(path, 0o600);
  try {
    realFiles.sync(file);
  } finally {
    realFiles.close(file);
  }
}

function removeCopy(partial: string): void {
  for (const side of ['', '-journal', '-wal', '-shm']) {
    if (existsSync(`${partial}${side}`)) rmSync(`${partial}${side}`);
  }
}

function isFull(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT';
}
