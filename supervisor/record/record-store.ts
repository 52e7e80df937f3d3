import {
  formatUpdateRecord,
  MAX_RECORD_BYTES,
  parseUpdateRecord,
  type RecordReading,
  type UpdateRecord,
} from '../../shared/contract/update-record.ts';
import { removeDurably, renameDurably, writeFileDurably } from '../../shared/fs/durable-file.ts';
import type { Files } from '../../shared/fs/files.ts';
import { sha256 } from '../../shared/fs/sha256.ts';

/**
 * Reads the record of the open update. A broken one is moved aside, never deleted, for a person to look at: the
 * program then runs as it lies, and no database is touched.
 */
export function readRecord(path: string, files: Files, wallMs: number): RecordReading {
  const reading = parse(path, files);
  if (reading.kind !== 'broken') return reading;
  try {
    renameDurably(path, `${path}.bad-${wallMs}`, files);
    return reading;
  } catch (error) {
    // On a full disk, say. The service has to run all the same.
    const { code } = error as NodeJS.ErrnoException;
    return { kind: 'broken', reason: `${reading.reason} and cannot be moved aside (${code})` };
  }
}

function parse(path: string, files: Files): RecordReading {
  try {
    const bytes = files.read(path, MAX_RECORD_BYTES);
    if (bytes === undefined) return { kind: 'none' };
    return parseUpdateRecord(Buffer.from(bytes).toString('utf8'), sha256);
  } catch (error) {
    return {
      kind: 'broken',
      reason: `it cannot be read (${(error as NodeJS.ErrnoException).code})`,
    };
  }
}

/** Makes the record durable, in place of the one before. Throws the system's error. */
export function writeRecord(path: string, record: UpdateRecord, files: Files): void {
  writeFileDurably(path, formatUpdateRecord(record, sha256), 0o600, files);
}

/** The update is over. Throws the system's error. */
export function removeRecord(path: string, files: Files): void {
  removeDurably(path, files);
}
