import { formatFailure } from './outcome.ts';
import type { UpdateHistoryEntry, UpdateOutcome } from './update-history.ts';

/** What a report says beyond the history. */
export type ReportFacts = {
  /** The program file that was or would have been exchanged. */
  readonly binaryPath: string;
  readonly host: string;
  /** The supervisor. */
  readonly pid: number;
  readonly dryRun: boolean;
};

/** How a run that came to what it was for ends. */
const SUCCESSES: readonly UpdateOutcome[] = ['committed', 'current', 'dry-run'];

/** Whether an update came to what it was for. */
export function isSuccess(outcome: UpdateOutcome): boolean {
  return SUCCESSES.includes(outcome);
}

/**
 * The report of an update that is over, as `self-update-reports/*.json` has it: the fields that runners have always
 * written, with times in seconds since the epoch, and behind them those of the history.
 */
export function formatUpdateReport(entry: UpdateHistoryEntry, facts: ReportFacts) {
  const { txn, kind, outcome, from, to, request, failure, steps, warnings } = entry;
  const status = isSuccess(outcome) ? 'succeeded' : 'failed';
  return {
    type: 'self-update-run',
    dry_run: facts.dryRun,
    started_at: Math.floor(entry.startedAt / 1000),
    finished_at: Math.floor(entry.finishedAt / 1000),
    status,
    exit_code: status === 'succeeded' ? 0 : 1,
    binary_path: facts.binaryPath,
    release_tag: to?.tag ?? to?.version ?? null,
    stderr_tail: failure ? formatFailure(failure) : '',
    runner_host: facts.host,
    runner_pid: facts.pid,
    txn,
    kind,
    outcome,
    from,
    to,
    trigger: request.trigger,
    by: request.by,
    failure,
    database_restored: entry.databaseRestored,
    steps,
    warnings,
  } as const;
}
