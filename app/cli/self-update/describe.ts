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

/** How long it took, in whole seconds. */
export function formatDuration({ started_at, finished_at }: UpdateHistoryView): string {
  const ms = Date.parse(finished_at) - Date.parse(started_at);
  return `${Math.max(Math.round(ms / 1000), 0)} s`;
}
