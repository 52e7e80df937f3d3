import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { renameDurably } from '../../shared/fs/durable-file.ts';
import { isCutOff, readSpoolEntry, type SpoolEntry } from './spool-format.ts';

const SUFFIX = '.spool';

/** What a segment holds behind an offset. */
export type SegmentContent = {
  readonly entries: readonly SpoolEntry[];
  /** The offset behind the last whole entry. */
  readonly end: number;
  /** Stretches that could not be read: a disk that lies, or a hand that edited. */
  readonly damaged: number;
  /** Unreadable bytes at the end, other than an entry that is being written or was cut off while it was. */
  readonly rest: number;
};

/** The segments of the spool, oldest first. */
export function listSegments(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX))
    .sort();
}

/**
 * Reads all whole entries behind `start`; what is cut off at the end was never acknowledged. Nothing where the file is
 * gone: another process took it over and deleted it.
 */
export function readSegment(folder: string, name: string, start: number): SegmentContent {
  const bytes = readFrom(`${folder}/${name}`, start);
  const entries: SpoolEntry[] = [];
  let damaged = 0;
  let at = 0;
  for (let reading = readSpoolEntry(bytes, at); reading.kind !== 'end'; ) {
    if (reading.kind === 'entry') entries.push(reading.entry);
    else damaged++;
    at = reading.end;
    reading = readSpoolEntry(bytes, at);
  }
  const rest = isCutOff(bytes, at) ? 0 : bytes.length - at;
  return { entries, end: start + at, damaged, rest };
}

/** Whether this process made the segment, or one that had its number before. */
export function isOwn(name: string): boolean {
  return Number(name.split('-')[1]) === process.pid;
}

/** Whether another living process may still append to the segment; the name says which made it. */
export function isOwnedByOther(name: string): boolean {
  const pid = Number(name.split('-')[1]);
  return Number.isSafeInteger(pid) && pid !== process.pid && existsSync(`/proc/${pid}`);
}

/** Deletes a segment that is done with. */
export function deleteSegment(folder: string, name: string): void {
  rmSync(`${folder}/${name}`, { force: true });
}

/** Keeps a damaged segment for a person to look at, where nothing reads it again. */
export function setSegmentAside(folder: string, name: string): void {
  renameDurably(`${folder}/${name}`, `${folder}/${name}.damaged`);
}

function readFrom(path: string, start: number): Buffer {
  const file = openIfPresent(path);
  if (file === undefined) return Buffer.alloc(0);
  try {
    const bytes = Buffer.allocUnsafe(Math.max(fstatSync(file).size - start, 0));
    let read = 0;
    while (read < bytes.length) {
      const count = readSync(file, bytes, read, bytes.length - read, start + read);
      if (count === 0) break;
      read += count;
    }
    return bytes.subarray(0, read);
  } finally {
    closeSync(file);
  }
}

function openIfPresent(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
