import { basename, join } from 'node:path';
import { fail, formatFailure, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import { realBulkFiles } from '../../shared/fs/bulk-files.ts';
import { makeDirectoryDurably } from '../../shared/fs/durable-file.ts';
import { realFiles } from '../../shared/fs/files.ts';
import { lockFile } from '../../shared/fs/lock-file.ts';
import { restoreDatabase } from '../../shared/fs/restore-database.ts';
import { findOpeners } from '../../shared/process/find-openers.ts';
import type { QuarantineRow } from '../db/quarantined-images.ts';
import { readQuarantine } from '../db/read-quarantine.ts';
import { openStore } from '../db/store.ts';
import type { Backup } from './backup-folder.ts';
import { verifyBackup } from './verify-backup.ts';

/** What became of a restoration. */
export type Restored = {
  /** Where the database lies that was in its place. */
  readonly kept: string | undefined;
  /** Images that failed since the backup was made: they stay in quarantine. */
  readonly quarantined: number;
  /** Why that could not be read; then they may be deployed once more. */
  readonly unread: string | undefined;
  /** Credentials and hooks that were good in the backup and stay revoked. */
  readonly revoked: number;
  /** Lines of what was revoked that cannot be read: that may be good again. */
  readonly unreadRevocations: number;
};

type Order = {
  readonly backup: Backup;
  readonly paths: Pick<
    StatePaths,
    'database' | 'dataDir' | 'supervisorLock' | 'workerLock' | 'updateRecord'
  >;
  readonly version: string;
  readonly nowMs: number;
  /** The service that runs has let its database go, as damaged, and will open what lies there next. */
  readonly isLetGo?: boolean;
};

/**
 * Puts a backup in the place of the database and keeps what lay there. Neither the service nor a task may run, and no
 * update be open: STATE_DIR_IN_USE and UPDATE_IN_PROGRESS. The backup is verified first; while it is put in place both locks are
 * held, so that nobody starts; a service that has let the database go holds them itself. Where the power goes meanwhile, the old database or the backup is there, whole. What is in
 * quarantine now is so afterwards, and what was revoked: no bad image is installed again, no credential is good again.
 */
export async function restoreBackup(order: Order): Promise<Outcome<Restored>> {
  const { paths } = order;
  if (order.isLetGo) return verifyAndExchange(order);
  const supervisor = lockFile(paths.supervisorLock);
  if (!supervisor.ok) return supervisor;
  const worker = lockFile(paths.workerLock);
  try {
    if (!worker.ok) return worker;
    return await verifyAndExchange(order);
  } finally {
    if (worker.ok) worker.value.release();
    supervisor.value.release();
  }
}

async function verifyAndExchange(order: Order): Promise<Outcome<Restored>> {
  const { backup, paths } = order;
  if (realFiles.facts(paths.updateRecord)) {
    return fail('UPDATE_IN_PROGRESS', `${paths.updateRecord} is there.`);
  }
  const verified = await verifyBackup(backup);
  return verified.ok ? exchange(order) : verified;
}

async function exchange(order: Order): Promise<Outcome<Restored>> {
  const { backup, paths, nowMs } = order;
  const { database, dataDir } = paths;
  const quarantine = readQuarantine(database, nowMs);
  // Tasks outlive the service; what they write into a database that was set aside is lost.
  const [opener] = findOpeners(database);
  if (opener) {
    const { pid, command } = opener;
    return fail('STATE_DIR_IN_USE', `Process ${pid} (${command}) has ${database} open.`);
  }
  const staged = `${database}.restoring`;
  // What one that was cut off has left would be read into this one.
  removeStaged(staged);
  try {
    await realBulkFiles.copy(backup.file, staged);
    const prepared = prepare(staged, order, quarantine.ok ? quarantine.value : []);
    if (!prepared.ok) return prepared;
    const keepIn = join(dataDir, 'backups', 'replaced', `${nowMs}-for-${basename(backup.file)}`);
    makeDirectoryDurably(keepIn);
    const restored = await restoreDatabase({
      ...{ database, keepIn, files: realFiles, bulk: realBulkFiles },
      backup: {
        ...{ kind: 'copy', file: staged, schema: backup.schema },
        sha256: await realBulkFiles.hash(staged),
        bytes: realFiles.facts(staged)?.bytes ?? 0,
      },
    });
    if (!restored.ok) return fail('BACKUP_RESTORE_FAILED', restored.failure.detail);
    const kept = join(keepIn, basename(database));
    return succeed({
      kept: realFiles.facts(kept) ? kept : undefined,
      ...prepared.value,
      unread: quarantine.ok ? undefined : formatFailure(quarantine.failure),
    });
  } catch (error) {
    return fail('BACKUP_RESTORE_FAILED', `${database}: ${(error as Error).message}.`);
  } finally {
    removeStaged(staged);
  }
}

function removeStaged(staged: string): void {
  for (const side of ['', '-wal', '-shm', '-journal']) realFiles.unlink(`${staged}${side}`);
}

/**
 * Migrates the copy, revokes in it what was revoked since (the file of that lies beside it), and carries the quarantine over into
 * it, before it takes the place of the database: what keeps it from being used shows while nothing is touched, and no power cut
 * comes between.
 */
function prepare(
  staged: string,
  { version, nowMs }: Order,
  rows: readonly QuarantineRow[],
): Outcome<Pick<Restored, 'quarantined' | 'revoked' | 'unreadRevocations'>> {
  const opened = openStore(staged, { version, nowMs });
  if (!opened.ok) return opened;
  try {
    const { quarantine, settled } = opened.value;
    return succeed({
      quarantined: quarantine.carryOver(rows),
      revoked: settled.applied,
      unreadRevocations: settled.unreadable,
    });
  } finally {
    // The last one that closes it writes its log into it.
    opened.value.close();
  }
}
