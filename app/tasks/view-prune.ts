import type { PruneView } from '../api/prune-views.ts';
import type { Store } from '../db/store.ts';
import type { PruneCounts } from '../domain/retention.ts';
import type { Pruned } from '../maintenance/prune-state.ts';
import { PRUNE_NOTE } from './run-maintenance.ts';

/** With what it was asked for. */
export type PruneAsked = {
  readonly isDryRun: boolean;
  readonly maxAgeMs: number;
  readonly taskRetentionMs: number;
};

const HOUR_MS = 3_600_000;

/** What was removed, as API and command line tell it; the words of the earlier program stand for several things each. */
export function viewPrune(
  { isDryRun, maxAgeMs, taskRetentionMs }: PruneAsked,
  { removed, freedBytes }: Pick<Pruned, 'removed' | 'freedBytes'>,
  taskId: string | null,
): PruneView {
  return {
    dry_run: isDryRun,
    max_age_hours: maxAgeMs / HOUR_MS,
    task_retention_secs: Math.floor(taskRetentionMs / 1_000),
    tokens_removed: removed.rate_limit_tokens + removed.legacy_tokens,
    locks_removed: removed.legacy_locks,
    legacy_dirs_removed: removed.legacy_folders,
    tasks_removed: removed.tasks,
    removed,
    freed_bytes: freedBytes,
    task_id: taskId,
  };
}

/** What a task of pruning has removed, by its log; undefined where it came to none. */
export function readPruned(
  { taskLogs }: Pick<Store, 'taskLogs'>,
  taskId: string,
): Pick<Pruned, 'removed' | 'freedBytes'> | undefined {
  const entry = taskLogs.listByTask(taskId).findLast(({ action }) => action === PRUNE_NOTE);
  if (entry?.meta == null) return undefined;
  const { freedBytes, ...removed } = JSON.parse(entry.meta) as PruneCounts & { freedBytes: number };
  return { removed, freedBytes };
}
