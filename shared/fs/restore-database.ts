import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { fail, type Outcome, succeed } from '../contract/outcome.ts';
import type { DatabaseBackup } from '../contract/update-record.ts';
import type { BulkFiles } from './bulk-files.ts';
import { linkDurably, removeDurably, renameDurably } from './durable-file.ts';
import type { Files } from './files.ts';

/** What is put back where, and where what lay there is kept for a person to look at. */
export type Restoration = {
  readonly database: string;
  readonly backup: DatabaseBackup;
  /** A folder that is there, of this restoration alone. */
  readonly keepIn: string;
  readonly files: Files;
  readonly bulk: BulkFiles;
};

/** What SQLite puts beside a database. Beside another database it would be read into that one. */
const SIDES = ['-wal', '-shm', '-journal'] as const;

/**
 * Puts a backup in the place of the database, which nobody may have open, and keeps what lay there. Fails with
 * UPDATE_RESTORE_FAILED. May be repeated from any point at which it was cut off, as long as nobody has written to the
 * database since; that the caller ensures by recording the end of the restoration before anybody may.
 *
 * 1. The backup is copied beside the database and the copy compared with what was recorded. Nothing was touched yet.
 * 2. The failed database gets a second name in `keepIn`. From then on a look at the disk tells whether the database is
 *    still the failed one: it is, while both names mean one file.
 * 3. What lies beside the failed database follows it. It must be gone, on the disk too, before the backup is there.
 * 4. The copy takes the place of the database in one rename: at no moment is there none.
 * 5. Of a raw copy the log follows. Not before: beside the failed database it would be taken for that one's own. Until
 *    it is there the database may be an incomplete one, but a repetition does not ask: it sees that the failed one is
 *    gone, drops whatever lies beside, and does 4 and 5 again from the backup.
 */
export async function restoreDatabase(order: Restoration): Promise<Outcome<void>> {
  const { database, backup, files } = order;
  try {
    const copied = await copyBackup(order);
    if (!copied.ok) return copied;
    setFailedAside(order);
    if (backup.kind === 'none') removeDurably(database, files);
    else renameDurably(copyPath(database), database, files);
    if (files.facts(logOf(copyPath(database)))) {
      renameDurably(logOf(copyPath(database)), logOf(database), files);
    }
    return succeed(undefined);
  } catch (error) {
    return fail('UPDATE_RESTORE_FAILED', `${database}: ${describe(error)}.`);
  }
}

/** Whether a restoration came as far as to keep the failed database: from then on it has to be done to its end. */
export function isRestorationBegun(
  order: Pick<Restoration, 'database' | 'keepIn' | 'files'>,
): boolean {
  return findKept(order) !== undefined;
}

/**
 * Copies a database as it lies there, with its log, for when no program can be asked to. Nobody may have it open. Fails
 * with UPDATE_BACKUP_FAILED. What an earlier attempt left is replaced.
 */
export async function backUpRaw(order: {
  readonly database: string;
  readonly to: string;
  readonly files: Files;
  readonly bulk: BulkFiles;
}): Promise<Outcome<DatabaseBackup>> {
  const { database, to, files } = order;
  const partial = `${to}.partial`;
  try {
    if (!files.facts(database)) {
      return succeed({ kind: 'none', file: null, sha256: null, bytes: 0, schema: null });
    }
    for (const path of [to, partial]) removeWithLog(path, files);
    await copyWithLog(database, partial, order);
    const sha256 = await hashWithLog(partial, order);
    if (sha256 !== (await hashWithLog(database, order))) {
      return fail('UPDATE_BACKUP_FAILED', `${partial} is not what ${database} is.`);
    }
    const bytes = sizeOf(partial, files) + sizeOf(logOf(partial), files);
    // The log first, so that where the backup has its name it is whole.
    if (files.facts(logOf(partial))) renameDurably(logOf(partial), logOf(to), files);
    renameDurably(partial, to, files);
    return succeed({ kind: 'raw', file: to, sha256, bytes, schema: null });
  } catch (error) {
    return fail('UPDATE_BACKUP_FAILED', `${database}: ${describe(error)}.`);
  }
}

/** Step 1. */
async function copyBackup(order: Restoration): Promise<Outcome<void>> {
  const { database, backup, files, bulk } = order;
  const copy = copyPath(database);
  removeWithLog(copy, files);
  if (backup.kind === 'none') return succeed(undefined);
  const { file, kind } = backup;
  if (file === null || !files.facts(file)) {
    return fail('UPDATE_RESTORE_FAILED', `The backup ${file} is not there.`);
  }
  try {
    if (kind === 'raw') await copyWithLog(file, copy, order);
    else await bulk.copy(file, copy);
    const found = await (kind === 'raw' ? hashWithLog(copy, order) : bulk.hash(copy));
    if (found === backup.sha256) return succeed(undefined);
  } catch (error) {
    discard(copy, files);
    throw error;
  }
  discard(copy, files);
  return fail(
    'UPDATE_RESTORE_FAILED',
    `The backup ${file} is not what was recorded: it was changed.`,
  );
}

/** Steps 2 and 3. What was kept first stays: that is the failed one, whatever came to lie there afterwards. */
function setFailedAside(order: Restoration): void {
  const { database, files } = order;
  const kept = keepFailed(order);
  const [now, then] = [files.facts(database), files.facts(kept)];
  const isFailed = !now || (now.inode === then?.inode && now.device === then.device);
  for (const side of SIDES) {
    if (!files.facts(`${database}${side}`)) continue;
    if (isFailed && !files.facts(`${kept}${side}`)) {
      renameDurably(`${database}${side}`, `${kept}${side}`, files);
    } else {
      files.unlink(`${database}${side}`);
    }
  }
  files.syncDirectory(dirname(database));
}

/** Where the failed database is kept: in `keepIn`, or beside itself where that lies on another file system. */
function keepFailed({ database, keepIn, files }: Restoration): string {
  const { inFolder, beside } = keptPaths(database, keepIn);
  const known = findKept({ database, keepIn, files });
  if (known) {
    files.syncDirectory(dirname(known));
    return known;
  }
  if (!files.facts(database)) return inFolder;
  try {
    linkDurably(database, inFolder, files);
    return inFolder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    linkDurably(database, beside, files);
    return beside;
  }
}

function findKept({
  database,
  keepIn,
  files,
}: Pick<Restoration, 'database' | 'keepIn' | 'files'>): string | undefined {
  const { inFolder, beside } = keptPaths(database, keepIn);
  return [inFolder, beside].find((path) => files.facts(path) !== undefined);
}

function keptPaths(database: string, keepIn: string) {
  return {
    inFolder: `${keepIn}/${basename(database)}`,
    beside: `${database}.failed.${basename(dirname(keepIn))}`,
  };
}

function copyPath(database: string): string {
  return `${database}.restore.tmp`;
}

function logOf(database: string): string {
  return `${database}-wal`;
}

function sizeOf(path: string, files: Files): number {
  return files.facts(path)?.bytes ?? 0;
}

type Means = Pick<Restoration, 'files' | 'bulk'>;

async function copyWithLog(from: string, to: string, { files, bulk }: Means): Promise<void> {
  await bulk.copy(from, to);
  if (files.facts(logOf(from))) await bulk.copy(logOf(from), logOf(to));
}

/** One digest of both: a log that was lost or cut off would lose what it holds without a word. */
async function hashWithLog(path: string, { files, bulk }: Means): Promise<string> {
  const log = files.facts(logOf(path)) ? await bulk.hash(logOf(path)) : '';
  return createHash('sha256')
    .update(`${await bulk.hash(path)}\n${log}`)
    .digest('hex');
}

function removeWithLog(path: string, files: Files): void {
  files.unlink(path);
  files.unlink(logOf(path));
}

/** A copy that is of no use only takes room; where it cannot be removed, the next attempt replaces it. */
function discard(copy: string, files: Files): void {
  try {
    removeWithLog(copy, files);
  } catch {
    // The failure before this one is told.
  }
}

function describe(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
