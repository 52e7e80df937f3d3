import type { Settings } from '../../shared/config/settings.ts';
import type { Failure, Outcome } from '../../shared/contract/outcome.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import type { CheckedUnitView } from '../api/check-views.ts';
import type { CheckSummary } from '../checks/check-updates.ts';
import type { Store } from '../db/store.ts';
import type { TaskInput } from '../domain/task-input.ts';
import type { Host } from '../host/host.ts';
import type { PrunedPaths } from '../maintenance/prune-files.ts';
import type { KnownUnits } from '../units/known-units.ts';

/** What decides how long things are kept. */
export type KeepingSettings = Pick<
  Settings,
  'taskRetentionMs' | 'deliveryRetentionMs' | 'eventRetentionMs' | 'eventMaxRows' | 'backupKeep'
>;

/** Looking for updates, as a task does it. */
export type UpdateWork = {
  readonly known: KnownUnits;
  /** Looks now; absent units: at all that are known. Forced: what was answered a moment ago will not do. */
  check(
    units: readonly string[] | undefined,
    how: { readonly isForced: boolean; readonly signal: AbortSignal },
  ): Promise<Outcome<CheckSummary>>;
  /** What is stored of them. */
  list(units: readonly string[]): readonly CheckedUnitView[];
};

/** What maintenance works with; `signal` ends it where it can be ended. */
export type MaintenanceParts = {
  readonly taskId: string;
  /** It is the word of a person, not of the clock. */
  readonly isByPerson: boolean;
  readonly store: Store;
  readonly host: Host;
  readonly settings: KeepingSettings;
  readonly paths: Pick<StatePaths, 'database' | 'databaseBackupsDir'> & PrunedPaths;
  /** Made when it is asked for: most tasks have no use for it. */
  readonly updates: () => UpdateWork;
  readonly signal: AbortSignal;
  readonly note: (level: 'info' | 'warning', action: string, summary: string, meta: object) => void;
};

/** What is to be done. */
export type MaintenanceInput = Pick<TaskInput, 'maxAgeMs' | 'pushedOnly' | 'triesLeft'> &
  Required<Pick<TaskInput, 'maintenance'>>;

/** How it ended. */
export type MaintenanceEnd =
  | { readonly status: 'succeeded' | 'cancelled'; readonly summary: string }
  | { readonly status: 'failed'; readonly summary: string; readonly failure: Failure };

/** Its end where something that it cannot do without has failed. */
export function endFailed(what: string, failure: Failure): MaintenanceEnd {
  return { status: 'failed', summary: `${what}: ${failure.code}.`, failure };
}
