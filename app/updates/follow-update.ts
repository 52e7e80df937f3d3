import { basename } from 'node:path';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import type { UpdateHistoryEntry } from '../../shared/contract/update-history.ts';
import type { UpdateRecord, UpdateState } from '../../shared/contract/update-record.ts';
import { lookUntil } from './look-until.ts';
import { readHistory, readRecord } from './read-update-state.ts';

/** How following an update ended. */
export type FollowedEnd =
  | { readonly kind: 'ended'; readonly entry: UpdateHistoryEntry }
  /** Neither version runs; only a person or another release leads on from here. */
  | { readonly kind: 'held'; readonly record: UpdateRecord }
  /** Neither the record nor the history knows it any more. */
  | { readonly kind: 'lost' }
  /** Whoever followed did not want to any longer. */
  | { readonly kind: 'left' };

/**
 * Follows an update to its end by the files that the supervisor writes. They outlive supervisor and program, both of
 * which an update exchanges while somebody waits for it.
 */
export async function followUpdate(
  paths: StatePaths,
  txn: string,
  { signal, onState }: { signal: AbortSignal; onState: (state: UpdateState) => void },
): Promise<FollowedEnd> {
  const names = [basename(paths.updateRecord), basename(paths.updateHistory)];
  let latest: UpdateState | undefined;
  const end = await lookUntil({ folder: paths.dataDir, names }, signal, async () => {
    // In this order, for an update gets its line of the history before its record goes.
    const record = await readRecord(paths.updateRecord);
    const entry = (await readHistory(paths.updateHistory)).findLast((one) => one.txn === txn);
    if (entry) return { kind: 'ended', entry } as const;
    if (record.kind === 'none') return { kind: 'lost' } as const;
    // Of a newer program, or not whole yet: the history will tell.
    if (record.kind !== 'record') return undefined;
    if (record.record.txn !== txn) return { kind: 'lost' } as const;
    const { state } = record.record;
    if (state !== latest) onState(state);
    latest = state;
    return state === 'held' ? ({ kind: 'held', record: record.record } as const) : undefined;
  });
  return end ?? { kind: 'left' };
}
