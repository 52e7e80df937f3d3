import type { UpdateHistoryEntry } from '../../shared/contract/update-history.ts';
import type { UpdateHistoryView } from '../api/self-update-views.ts';
import type { Page } from '../api/views.ts';
import { viewHistoryEntry } from './view-self-update.ts';

/** Which page of the history. */
export type HistoryFilter = {
  readonly limit: number;
  /** The cursor of the page before. */
  readonly cursor?: string | undefined;
};

/** One page of the updates that are over, the newest first. `history` is oldest first, as the file has it. */
export function listHistory(
  history: readonly UpdateHistoryEntry[],
  { limit, cursor }: HistoryFilter,
): Page<'updates', UpdateHistoryView> {
  const before = cursor === undefined ? history : history.slice(0, findEnd(history, cursor));
  const page = before.slice(-limit).reverse();
  const last = page.at(-1);
  return {
    updates: page.map(viewHistoryEntry),
    next_cursor: last && before.length > page.length ? toCursor(last) : null,
  };
}

function toCursor({ finishedAt, txn }: UpdateHistoryEntry): string {
  return `${finishedAt}.${txn}`;
}

/** Where the page before ended. What it ended with may have been trimmed away; then all that is older is gone too. */
function findEnd(history: readonly UpdateHistoryEntry[], cursor: string): number {
  return Math.max(
    history.findLastIndex((entry) => toCursor(entry) === cursor),
    0,
  );
}
