import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Replaces a file whole: written aside, synced, renamed, and the folder synced, so that a power cut leaves either the
 * old content or the new one. `mode` defaults to 0600.
 * @throws the system's error; the file at `path` is then unchanged.
 */
export function writeFileDurably(path: string, content: string | Buffer, mode = 0o600): void {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  const bytes = Buffer.from(content);
  const file = openSync(aside, 'wx', mode);
  try {
    try {
      let written = 0;
      while (written < bytes.length) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

/** Renames a file within its folder, durably. `writeFileDurably` and this are the only callers of `rename` for state. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncDirectory(dirname(to));
}

/** Makes a folder and those above it, each entry durable, so that what is put into it is not lost with it. */
export function makeDirectoryDurably(path: string, mode = 0o700): void {
  const first = mkdirSync(path, { recursive: true, mode });
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) {
    syncDirectory(dirname(folder));
  }
}

/** Makes new, renamed and removed entries of a folder durable (fsync(2): the file's own sync does not). */
export function syncDirectory(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
