import { setTimeout as wait } from 'node:timers/promises';
import { PROGRAM } from '../../shared/config/program-version.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { type Failure, fail } from '../../shared/contract/outcome.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import { createBackup } from '../backups/create-backup.ts';
import { describeSqliteError } from '../db/explain-database-error.ts';
import type { Store } from '../db/store.ts';
import { type PruneCounts, type Retention, SHORT_MAX_AGE_MS } from '../domain/retention.ts';
import type { TaskInput } from '../domain/task-input.ts';
import type { PrunedPaths } from '../maintenance/prune-files.ts';
import { pruneState } from '../maintenance/prune-state.ts';

/** What decides how long things are kept. */
export type KeepingSettings = Pick<
  Settings,
  'taskRetentionMs' | 'deliveryRetentionMs' | 'eventRetentionMs' | 'eventMaxRows' | 'backupKeep'
>;

/** What maintenance works with; `signal` ends it where it can be ended. */
export type MaintenanceParts = {
  readonly store: Store;
  readonly settings: KeepingSettings;
  readonly paths: Pick<StatePaths, 'database' | 'databaseBackupsDir'> & PrunedPaths;
  readonly signal: AbortSignal;
  readonly note: (level: 'info', action: string, summary: string, meta: object) => void;
};

/** What is to be done. */
export type MaintenanceInput = Pick<TaskInput, 'maxAgeMs'> &
  Required<Pick<TaskInput, 'maintenance'>>;

/** The entry in the log of a `prune` that has what was removed. */
export const PRUNE_NOTE = 'state-prune-run';

/** How it ended. */
export type MaintenanceEnd =
  | { readonly status: 'succeeded' | 'cancelled'; readonly summary: string }
  | { readonly status: 'failed'; readonly summary: string; readonly failure: Failure };

/** How long is kept what has gathered, by the settings; what is of use for hours only by `shortMaxAgeMs`. */
export function retentionOf(
  settings: KeepingSettings,
  shortMaxAgeMs = SHORT_MAX_AGE_MS,
): Retention {
  return {
    taskMaxAgeMs: settings.taskRetentionMs,
    deliveryMaxAgeMs: settings.deliveryRetentionMs,
    shortMaxAgeMs,
    events: { maxAgeMs: settings.eventRetentionMs, maxRows: settings.eventMaxRows },
  };
}

/** The counts in words, those that are not zero. */
export function formatCounts(counts: PruneCounts): string {
  const said = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([table, count]) => `${count} ${table.replaceAll('_', ' ')}`);
  return said.join(', ') || 'nothing';
}

/** Carries out a task of maintenance. */
export async function runMaintenance(
  parts: MaintenanceParts,
  { maintenance, maxAgeMs }: MaintenanceInput,
): Promise<MaintenanceEnd> {
  try {
    return await (maintenance === 'prune' ? prune(parts, maxAgeMs) : backUp(parts));
  } catch (error) {
    const { failure } = fail('MAINTENANCE_FAILED', `${describeSqliteError(error)}.`);
    return { status: 'failed', summary: `It could not be done: ${failure.code}.`, failure };
  }
}

async function prune(
  { store, settings, paths, signal, note }: MaintenanceParts,
  maxAgeMs: number | undefined,
): Promise<MaintenanceEnd> {
  const retention = retentionOf(settings, maxAgeMs);
  const pause = (ms: number) => wait(ms);
  const pruned = await pruneState({ store, paths }, retention, Date.now(), { pause, signal });
  const { removed, freedBytes, isCut } = pruned;
  note('info', PRUNE_NOTE, `Removed: ${formatCounts(removed)}.`, { ...removed, freedBytes });
  const freed = `${(freedBytes / 1_000_000).toFixed(1)} MB given back`;
  return isCut
    ? { status: 'cancelled', summary: `It was stopped. Removed so far: ${formatCounts(removed)}.` }
    : { status: 'succeeded', summary: `Removed: ${formatCounts(removed)}; ${freed}.` };
}

async function backUp({ settings, paths, note }: MaintenanceParts): Promise<MaintenanceEnd> {
  const made = await createBackup({
    ...{ database: paths.database, folder: paths.databaseBackupsDir },
    ...{ keep: settings.backupKeep, version: PROGRAM.version, nowMs: Date.now() },
  });
  if (!made.ok) {
    const summary = `The database was not backed up: ${made.failure.code}.`;
    return { status: 'failed', summary, failure: made.failure };
  }
  const { name, bytes } = made.value;
  note('info', 'backup', `${name} was made.`, made.value);
  const size = `${(bytes / 1_000_000).toFixed(1)} MB`;
  return { status: 'succeeded', summary: `The database was backed up: ${name}, ${size}.` };
}
