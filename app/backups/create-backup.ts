import { join } from 'node:path';
import type { ErrorCode } from '../../shared/contract/error-codes.ts';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { makeDirectoryDurably } from '../../shared/fs/durable-file.ts';
import { lockFileWithin } from '../../shared/fs/lock-file.ts';
import { backUpDatabase } from '../db/backup-database.ts';
import { type Backup, backupName, describeBackup, tidyBackups } from './backup-folder.ts';

/** How long another backup that is being made is waited for. */
const OTHERS_MS = 300_000;

/** What is backed up, and where to. */
export type BackupOrder = {
  readonly database: string;
  readonly folder: string;
  /** How many stay, this one among them. */
  readonly keep: number;
  /** Of the program. */
  readonly version: string;
  readonly nowMs: number;
};

/**
 * Backs the database up while it is in use: through SQLite, checked, synced. Then the oldest beyond `keep` are removed,
 * and never before. Fails with BACKUP_FAILED and BACKUP_DISK_FULL; what was there stays.
 */
export async function createBackup(order: BackupOrder): Promise<Outcome<Backup>> {
  const { folder } = order;
  try {
    makeDirectoryDurably(folder);
  } catch (error) {
    return explain(folder, error);
  }
  // Another one would take the half of this one for what a crash has left.
  const lock = await lockFileWithin(`${folder}.lock`, OTHERS_MS);
  if (!lock.ok) return fail('BACKUP_FAILED', lock.failure.detail);
  try {
    return await make(order);
  } finally {
    lock.value.release();
  }
}

async function make(order: BackupOrder): Promise<Outcome<Backup>> {
  const { database, folder, keep, version, nowMs } = order;
  const file = join(folder, backupName(nowMs));
  try {
    const copied = await backUpDatabase(database, file);
    if (!copied.ok) return fail(toOwnCode(copied.failure.code), copied.failure.detail);
    const { kind, sha256, bytes, schema } = copied.value;
    if (kind === 'none' || sha256 === null) {
      return fail('BACKUP_FAILED', `There is no database at ${database}.`);
    }
    const created_at = new Date(nowMs).toISOString();
    const backup = describeBackup(file, {
      created_at,
      version,
      schema: schema ?? 0,
      bytes,
      sha256,
    });
    tidyBackups(folder, keep, backup.name);
    return succeed(backup);
  } catch (error) {
    return explain(file, error);
  }
}

function explain(path: string, error: unknown): Outcome<never> {
  const { code, message } = error as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return fail(isFull ? 'BACKUP_DISK_FULL' : 'BACKUP_FAILED', `${path}: ${message}.`);
}

/** The copy is made for updates of the program, too, whose failures say what became of the update. */
function toOwnCode(code: ErrorCode): ErrorCode {
  return code === 'UPDATE_DISK_FULL' ? 'BACKUP_DISK_FULL' : 'BACKUP_FAILED';
}
