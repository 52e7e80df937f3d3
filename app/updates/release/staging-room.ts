import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Failure, fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { linkDurably, removeDurably, writeFileDurably } from '../../../shared/fs/durable-file.ts';

/** Room for what goes with a program: the record, the log, the file system's own needs. */
const RESERVE = 1.2;
/** Files that staging and the exchange make. */
const INODES = 16;

/** What a file system has left. */
export type Room = {
  readonly bavail: number;
  readonly bsize: number;
  /** Zero where the file system does not count its files. */
  readonly files: number;
  readonly ffree: number;
};

/** Whether so many bytes, a fifth more and some further files have room beside the program. */
export async function checkRoom(
  target: string,
  bytes: number,
  readRoom: (path: string) => Promise<Room> = statfs,
): Promise<Outcome<void>> {
  const folder = dirname(target);
  try {
    const { bavail, bsize, files, ffree } = await readRoom(folder);
    const [free, needed] = [bavail * bsize, Math.ceil(bytes * RESERVE)];
    if (free < needed) {
      return fail('UPDATE_DISK_FULL', `${folder}: ${free} bytes are free, ${needed} are needed.`);
    }
    if (files > 0 && ffree < INODES) {
      return fail('UPDATE_DISK_FULL', `${folder}: ${ffree} more files fit, ${INODES} are needed.`);
    }
    return succeed(undefined);
  } catch (error) {
    return { ok: false, failure: explainDiskError(error, folder) };
  }
}

/**
 * Tries what the exchange will do: make a file beside the program, give it a second name, rename. Whether that works
 * is not told by any permission alone (read-only mounts, file systems without links, folders that are mounted over).
 */
export function probeFolder(target: string): Outcome<void> {
  const [probe, second] = [`${target}.probe`, `${target}.probe.2`];
  try {
    writeFileDurably(probe, '');
    linkDurably(probe, second);
    return succeed(undefined);
  } catch (error) {
    return { ok: false, failure: explainDiskError(error, dirname(target)) };
  } finally {
    for (const path of [probe, second, `${second}.tmp`]) removeQuietly(path);
  }
}

function removeQuietly(path: string): void {
  try {
    removeDurably(path);
  } catch {
    // What kept it from being made keeps it from being removed.
  }
}

/** What a failed operation on files beside the program comes to. */
export function explainDiskError(error: unknown, where: string): Failure {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) {
    return fail('UPDATE_DISK_FULL', `${where}: ${code}.`).failure;
  }
  if (['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EXDEV'].includes(code)) {
    return fail('UPDATE_UNAVAILABLE', `${where} cannot be changed (${code}).`).failure;
  }
  return fail('UPDATE_STAGING_FAILED', `${where}: ${code}.`).failure;
}
