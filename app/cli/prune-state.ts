import { setTimeout as wait } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { countPrunable, pruneState } from '../maintenance/prune-state.ts';
import { formatCounts, retentionOf } from '../tasks/run-maintenance.ts';
import { viewPrune } from '../tasks/view-prune.ts';
import { withStore } from './with-store.ts';

/** How it is asked for. */
export type PruneOptions = {
  readonly maxAgeHours: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
};

const HOUR_MS = 3_600_000;

/**
 * `prune-state`: removes what is older than it is kept for, now, whether the service runs or not; with `--dry-run` it says
 * what would go.
 */
export function pruneStateCommand(
  { maxAgeHours, dryRun: isDryRun = false, json }: PruneOptions,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return withStore(environment, async (store, settings, paths) => {
    const maxAgeMs = Math.round(maxAgeHours * HOUR_MS);
    const { taskRetentionMs } = settings;
    const retention = retentionOf(settings, maxAgeMs);
    const nowMs = Date.now();
    const { signal } = new AbortController();
    const pause = (ms: number) => wait(ms);
    const state = { store, paths };
    const done = isDryRun
      ? { removed: countPrunable(state, retention, nowMs), freedBytes: 0 }
      : await pruneState(state, retention, nowMs, { pause, signal });
    const said = json
      ? JSON.stringify(viewPrune({ isDryRun, maxAgeMs, taskRetentionMs }, done, null))
      : `${isDryRun ? 'Would be removed' : 'Removed'}: ${formatCounts(done.removed)}.`;
    process.stdout.write(`${said}\n`);
    return EXIT.ok;
  });
}
