import { setTimeout as wait } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import { countPrunable, pruneState } from '../maintenance/prune-state.ts';
import { formatCounts, retentionOf } from '../tasks/run-maintenance.ts';
import { withStore } from './with-store.ts';

/** How it is asked for. */
export type PruneOptions = { readonly dryRun?: boolean; readonly json?: boolean };

/** `prune-state`: removes what is older than it is kept for, now; with `--dry-run` it says what would go. */
export function pruneStateCommand(
  { dryRun = false, json }: PruneOptions,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return withStore(environment, async (store, settings) => {
    const retention = retentionOf(settings);
    const nowMs = Date.now();
    const { signal } = new AbortController();
    const pause = (ms: number) => wait(ms);
    const done = dryRun
      ? { removed: countPrunable(store, retention, nowMs), freedBytes: 0 }
      : await pruneState(store, retention, nowMs, { pause, signal });
    const { removed, freedBytes } = done;
    const said = json
      ? JSON.stringify({ dry_run: dryRun, removed, freed_bytes: freedBytes })
      : `${dryRun ? 'Would be removed' : 'Removed'}: ${formatCounts(removed)}.`;
    process.stdout.write(`${said}\n`);
    return EXIT.ok;
  });
}
