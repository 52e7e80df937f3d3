import type { UpdateHistoryEntry } from '../../../shared/contract/update-history.ts';
import type { UpdateHistoryView } from '../../api/self-update-views.ts';

/** How an update ended, in one line. */
export function describeEnd({
  txn,
  outcome,
  from,
  to,
  databaseRestored,
}: UpdateHistoryEntry): string {
  const [here, there] = [from.version, to?.version ?? 'another version'];
  const database = databaseRestored ? ' The database of before was put back.' : '';
  const ends: Readonly<Record<typeof outcome, string>> = {
    committed: `${there} is installed; it was ${here}.${database}`,
    'rolled-back': `${there} did not prove itself, so ${here} runs again.${database}`,
    failed: `it failed before anything was exchanged; ${here} runs.`,
    cancelled: `it was cancelled; ${here} runs.`,
    current: `${here} runs already.`,
    'dry-run': `${there} could be installed; nothing was changed.`,
    superseded: 'another update has taken its place.',
  };
  return `${txn}: ${ends[outcome]}`;
}

/** A time as people read it: `2026-01-31 12:00:00Z`. */
export function formatTime(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')}Z`;
}

/** How long it took, in whole seconds. */
export function formatDuration({ started_at, finished_at }: UpdateHistoryView): string {
  const ms = Date.parse(finished_at) - Date.parse(started_at);
  return `${Math.max(Math.round(ms / 1000), 0)} s`;
}

/** Rows as lines, each column as wide as its widest cell. What would move the cursor of a terminal is left out. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}/gu, ' ')));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  const format = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return cells.map((row) => format(row).trimEnd()).join('\n');
}
