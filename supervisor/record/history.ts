import {
  parseUpdateHistory,
  type UpdateHistoryEntry,
} from '../../shared/contract/update-history.ts';
import { appendDurably, writeFileDurably } from '../../shared/fs/durable-file.ts';
import type { Files } from '../../shared/fs/files.ts';

const MAX_BYTES = 64 * 1024 * 1024;
/** Beyond this size only the newest entries are kept. */
const TRIM_BYTES = 2 * 1024 * 1024;
const KEPT_ENTRIES = 500;

/**
 * Adds an update that is over to the history, once: a repeat after a crash finds it there. A line that a power cut
 * tore off is closed first. Throws the system's error.
 */
export function appendHistory(path: string, entry: UpdateHistoryEntry, files: Files): void {
  const bytes = files.read(path, MAX_BYTES);
  const content = bytes ? Buffer.from(bytes).toString('utf8') : '';
  const entries = parseUpdateHistory(content);
  if (entries.some(({ txn, outcome }) => txn === entry.txn && outcome === entry.outcome)) {
    makeDurable(path, files);
    return;
  }
  const line = `${JSON.stringify(entry)}\n`;
  if (content.length > TRIM_BYTES) {
    const kept = entries.slice(-KEPT_ENTRIES).map((one) => `${JSON.stringify(one)}\n`);
    writeFileDurably(path, `${kept.join('')}${line}`, 0o600, files);
    return;
  }
  const isTorn = content !== '' && !content.endsWith('\n');
  appendDurably(path, isTorn ? `\n${line}` : line, files);
}

/** Whoever wrote what is there may have been killed before it was durable. */
function makeDurable(path: string, files: Files): void {
  const file = files.openToAppend(path, 0o600);
  try {
    files.sync(file);
  } finally {
    files.close(file);
  }
}
