import type { UpdateHistoryEntry } from './update-history.ts';

/** What a report says beside the history. */
export type ReportFacts = {
  readonly binaryPath: string;
  readonly host: string;
  readonly pid: number;
  readonly dryRun: boolean;
};

/** Ends of an update that count as success: what was wanted is so, or was only to be looked at. */
const GOOD: ReadonlySet<string> = new Set(['committed', 'current', 'dry-run']);

/** The report of a self-update run, with the fields that older importers know and ours behind them. Times in seconds. */
export function formatUpdateReport(entry: UpdateHistoryEntry, facts: ReportFacts) {
  const isGood = GOOD.has(entry.outcome);
  const { failure } = entry;
  return {
    type: 'self-update-run',
    dry_run: facts.dryRun,
    started_at: Math.floor(entry.startedAt / 1000),
    finished_at: Math.floor(entry.finishedAt / 1000),
    status: isGood ? 'succeeded' : 'failed',
    exit_code: isGood ? 0 : 1,
    binary_path: facts.binaryPath,
    release_tag: entry.to?.tag ?? null,
    stderr_tail: failure ? `${failure.code}: ${failure.detail}` : '',
    runner_host: facts.host,
    runner_pid: facts.pid,
    txn: entry.txn,
    outcome: entry.outcome,
    from: entry.from,
    to: entry.to,
    trigger: entry.request.trigger,
    failure,
    steps: entry.steps,
  };
}
