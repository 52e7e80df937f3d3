import { lstat } from 'node:fs/promises';
import type { Store } from '../db/store.ts';
import { readBounded } from './read-bounded.ts';
import { parseReport, toReportTask } from './report-file.ts';

/** What became of a file in the folder of reports. */
export type Imported =
  /** It is a task; false where it was one already. */
  | { readonly kind: 'imported'; readonly task: string; readonly isNew: boolean }
  /** It is no report and never will be. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** It may still be in the middle of being written. */
  | { readonly kind: 'unfinished' }
  | { readonly kind: 'gone' };

const MAX_REPORT_BYTES = 256 * 1024;
/** A runner that writes in place, and not aside as it should, has this long to be done. */
const GRACE_MS = 2_000;

/**
 * Makes a task of a report, in one transaction; the same file makes it once, however often it comes here.
 * @throws what the database throws; nothing has changed then.
 */
export async function importReport(
  store: Store,
  { folder, name, nowMs }: { folder: string; name: string; nowMs: number },
): Promise<Imported> {
  const path = `${folder}/${name}`;
  const facts = await lstat(path).catch(() => undefined);
  if (!facts) return { kind: 'gone' };
  // Opening anything else may wait for ever (a pipe) or lead elsewhere (a link).
  if (!facts.isFile()) return { kind: 'rejected', reason: 'it is no file' };
  const read = await readBounded(path, MAX_REPORT_BYTES);
  if (read.kind === 'missing') return { kind: 'gone' };
  if (read.kind === 'fault') return { kind: 'rejected', reason: read.fault };
  const report = parseReport(read.text);
  if (!report) {
    const isFresh = Math.abs(nowMs - facts.mtimeMs) < GRACE_MS;
    return isFresh ? { kind: 'unfinished' } : { kind: 'rejected', reason: 'it is no report' };
  }
  const { task, log } = toReportTask(name, report, nowMs);
  const isNew = store.transact(() => {
    const isInserted = store.tasks.insertFinal(task);
    if (isInserted) store.taskLogs.append(log);
    return isInserted;
  });
  return { kind: 'imported', task: task.id, isNew };
}
