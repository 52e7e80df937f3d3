import type { Settings } from '../../shared/config/settings.ts';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { PruneView } from '../api/prune-views.ts';
import type { Store } from '../db/store.ts';
import type { PrunedPaths } from '../maintenance/prune-files.ts';
import { countPrunable } from '../maintenance/prune-state.ts';
import type { CommitSource } from './live/commit-source.ts';
import type { KeepingSettings } from './maintenance-parts.ts';
import type { Asker } from './make-manual-task.ts';
import type { ManualTasks } from './manual-tasks.ts';
import { retentionOf } from './run-maintenance.ts';
import { untilEnded } from './until-ended.ts';
import { readPruned, viewPrune } from './view-prune.ts';

/** Pruning at the word of a person who waits for what came of it. */
export type PruneService = {
  /** What would go. Nothing is touched. */
  count(maxAgeMs: number): PruneView;
  /** Makes a task of it; `ended` has what it removed, or undefined where it goes on after a minute. */
  begin(
    maxAgeMs: number,
    asker: Asker,
  ): { readonly taskId: string; readonly ended: Promise<Outcome<PruneView | undefined>> };
};

/** What it is made of. */
export type PruneParts = {
  readonly store: Store;
  readonly settings: KeepingSettings & Pick<Settings, 'taskRetentionMs'>;
  readonly paths: PrunedPaths;
  readonly commits: CommitSource;
  readonly maintain: ManualTasks['maintain'];
  /** Aborted when the service stops: who waits is told then that the task goes on. */
  readonly leaving: AbortSignal;
  readonly waitMs?: number;
};

const WAIT_MS = 60_000;

/** Joins it to the state and to what makes tasks. */
export function createPruneService(parts: PruneParts): PruneService {
  const { store, settings, paths, commits, maintain, leaving, waitMs = WAIT_MS } = parts;
  const { taskRetentionMs } = settings;

  async function waitFor(id: string, maxAgeMs: number): Promise<Outcome<PruneView | undefined>> {
    const task = await untilEnded(store, commits, id, { limitMs: waitMs, leaving });
    if (task?.error_code) return fail(task.error_code, task.error_detail ?? '');
    const pruned = readPruned(store, id);
    const asked = { isDryRun: false, maxAgeMs, taskRetentionMs };
    return succeed(pruned && viewPrune(asked, pruned, id));
  }

  return {
    count(maxAgeMs) {
      const retention = retentionOf(settings, maxAgeMs);
      const removed = countPrunable({ store, paths }, retention, Date.now());
      return viewPrune(
        { isDryRun: true, maxAgeMs, taskRetentionMs },
        { removed, freedBytes: 0 },
        null,
      );
    },
    begin(maxAgeMs, asker) {
      const taskId = maintain('prune', { ...asker, maxAgeMs });
      return { taskId, ended: waitFor(taskId, maxAgeMs) };
    },
  };
}
