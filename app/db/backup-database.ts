import { existsSync, statSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import type { BackupAnswer } from '../../shared/contract/helper-answers.ts';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { realBulkFiles } from '../../shared/fs/bulk-files.ts';
import { removeDurably, renameDurably } from '../../shared/fs/durable-file.ts';
import { realFiles } from '../../shared/fs/files.ts';
import { describeSqliteError } from './open-database.ts';

/** Pages a step: few enough for the process to be told to end in between. */
const PAGES_A_STEP = 2_000;

/**
 * Copies the database at `path` to `to`: whole, checked, and on the disk before it has its name. What is in the log of
 * the database is in the copy as well. Fails with UPDATE_BACKUP_FAILED, and then there is nothing at `to`.
 */
export async function backUpDatabase(path: string, to: string): Promise<Outcome<BackupAnswer>> {
  if (!existsSync(path)) return succeed({ kind: 'none', sha256: null, bytes: 0, schema: null });
  const partial = `${to}.partial`;
  removeDurably(partial);
  try {
    const schema = await copyDatabase(path, partial);
    if (!schema.ok) return schema;
    syncFile(partial);
    const sha256 = await realBulkFiles.hash(partial);
    renameDurably(partial, to);
    return succeed({ kind: 'copy', sha256, bytes: statSync(to).size, schema: schema.value });
  } catch (error) {
    return fail('UPDATE_BACKUP_FAILED', `${path}: ${describeSqliteError(error)}.`);
  } finally {
    for (const leftover of [partial, `${partial}-wal`, `${partial}-shm`, `${partial}-journal`]) {
      realFiles.unlink(leftover);
    }
  }
}

/** SQLite's own copying, and its own look at what came of it; the schema's number. */
async function copyDatabase(path: string, to: string): Promise<Outcome<number>> {
  const database = new SqliteDatabase(path, { fileMustExist: true });
  try {
    await database.backup(to, { progress: () => PAGES_A_STEP });
  } finally {
    database.close();
  }
  const copy = new SqliteDatabase(to, { fileMustExist: true });
  try {
    // One file with everything in it: nothing of it may lie in a log beside it.
    copy.pragma('journal_mode = DELETE');
    const found = copy.pragma('quick_check(1)', { simple: true });
    if (found !== 'ok') return fail('UPDATE_BACKUP_FAILED', `${path}: ${found}.`);
    return succeed(Number(copy.pragma('user_version', { simple: true })));
  } finally {
    copy.close();
  }
}

function syncFile(path: string): void {
  const file = realFiles.openToAppend(path, 0o600);
  try {
    realFiles.sync(file);
  } finally {
    realFiles.close(file);
  }
}
