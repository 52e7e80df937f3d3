import { setTimeout as wait } from 'node:timers/promises';
import { PROGRAM } from '../../shared/config/program-version.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { type Failure, fail } from '../../shared/contract/outcome.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import { createBackup } from '../backups/create-backup.ts';
import { describeSqliteError } from '../db/explain-database-error.ts';
import type { Store } from '../db/store.ts';
import type { MaintenanceAction } from '../domain/maintenance.ts';
import type { PruneCounts, Retention } from '../domain/retention.ts';
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
  readonly paths: Pick<StatePaths, 'database' | 'databaseBackupsDir'>;
  readonly signal: AbortSignal;
  readonly note: (level: 'info', action: string, summary: string, meta: object) => void;
};

/** How it ended. */
export type MaintenanceEnd =
  | { readonly status: 'succeeded' | 'cancelled'; readonly summary: string }
  | { readonly status: 'failed'; readonly summary: string; readonly failure: Failure };

/** How long is kept what the database has gathered, by the settings. */
export function retentionOf(settings: KeepingSettings): Retention {
  return {
    taskMaxAgeMs: settings.taskRetentionMs,
    deliveryMaxAgeMs: settings.deliveryRetentionMs,
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
  action: MaintenanceAction,
): Promise<MaintenanceEnd> {
  try {
    return await (action === 'prune' ? prune(parts) : backUp(parts));
  } catch (error) {
    const { failure } = fail('MAINTENANCE_FAILED', `${describeSqliteError(error)}.`);
    return { status: 'failed', summary: `It could not be done: ${failure.code}.`, failure };
  }
}

async function prune({ store, settings, signal, note }: MaintenanceParts): Promise<MaintenanceEnd> {
  const retention = retentionOf(settings);
  const pause = (ms: number) => wait(ms);
  const pruned = await pruneState(store, retention, Date.now(), { pause, signal });
  const { removed, freedBytes, isCut } = pruned;
  note('info', 'state-prune-run', `Removed: ${formatCounts(removed)}.`, { ...removed, freedBytes });
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
