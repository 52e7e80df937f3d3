import { setTimeout as wait } from 'node:timers/promises';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { fail } from '../../shared/contract/outcome.ts';
import { createBackup } from '../backups/create-backup.ts';
import { describeSqliteError } from '../db/explain-database-error.ts';
import type { MaintenanceAction } from '../domain/maintenance.ts';
import { type PruneCounts, type Retention, SHORT_MAX_AGE_MS } from '../domain/retention.ts';
import { pruneState } from '../maintenance/prune-state.ts';
import type {
  KeepingSettings,
  MaintenanceEnd,
  MaintenanceInput,
  MaintenanceParts,
} from './maintenance-parts.ts';
import { runAutoUpdate } from './run-auto-update.ts';
import { runCheckUpdates } from './run-check-updates.ts';
import { runMissedDeliveries } from './run-missed-deliveries.ts';
import { runReconcile } from './run-reconcile.ts';

/** The entry in the log of a `prune` that has what was removed. */
export const PRUNE_NOTE = 'state-prune-run';

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
  input: MaintenanceInput,
): Promise<MaintenanceEnd> {
  try {
    const end = await WORK[input.maintenance](parts, input);
    // What fails then fails because it was cut off.
    return end.status === 'failed' && parts.signal.aborted ? STOPPED : end;
  } catch (error) {
    if (parts.signal.aborted) return STOPPED;
    const { failure } = fail('MAINTENANCE_FAILED', `${describeSqliteError(error)}.`);
    return { status: 'failed', summary: `It could not be done: ${failure.code}.`, failure };
  }
}

const STOPPED = { status: 'cancelled', summary: 'It was stopped.' } as const;

const WORK: Readonly<
  Record<
    MaintenanceAction,
    (parts: MaintenanceParts, input: MaintenanceInput) => Promise<MaintenanceEnd>
  >
> = {
  'auto-update': runAutoUpdate,
  'check-updates': runCheckUpdates,
  'missed-deliveries': runMissedDeliveries,
  reconcile: runReconcile,
  prune,
  backup: backUp,
};

async function prune(
  { store, settings, paths, signal, note }: MaintenanceParts,
  { maxAgeMs }: MaintenanceInput,
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
