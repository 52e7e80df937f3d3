import type { Outcome } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import type { MaintenanceAction } from '../domain/maintenance.ts';
import type { AutoUpdateMode } from '../domain/podman-auto-update.ts';
import { newIdentifier } from '../intake/new-identifier.ts';
import type { KnownUnits } from '../units/known-units.ts';
import {
  type AskedCause,
  type MaintenanceCause,
  makeMaintenanceTask,
} from './make-maintenance-task.ts';
import { type Asker, type ManualTask, makeManualTask } from './make-manual-task.ts';
import { type AutoUpdateTask, makeAutoUpdateTask } from './make-podman-auto-update.ts';
import { retryTask } from './retry-task.ts';

/** What a person asks for, and who it is. */
export type ManualRequest = Asker & Pick<ManualTask, 'unit' | 'version' | 'planned' | 'restart'>;

/** The tasks of one call, one for each unit. */
export type Batch = {
  readonly batch_id: string;
  readonly tasks: readonly { readonly unit: string; readonly task_id: string }[];
};

/** Tasks that a person asks for, and those of maintenance. */
export type ManualTasks = {
  /** Makes a task of a wish; its id. */
  start(request: ManualRequest): string;
  /** Makes a task of each of several units, all or none. */
  startAll(units: readonly string[], request: Omit<ManualRequest, 'unit' | 'planned'>): Batch;
  /** Makes a task of maintenance, see `makeMaintenanceTask`; its id. */
  maintain(action: MaintenanceAction, cause: MaintenanceCause): string;
  /** Makes a task that runs podman's auto-update, see `makeAutoUpdateTask`. */
  autoUpdate(mode: AutoUpdateMode, cause: AskedCause): AutoUpdateTask;
  /** See `retryTask`; the id of the new task. */
  retry(id: string, asker: Asker): Outcome<string>;
};

/** What tasks are made with. */
export type ManualTaskParts = {
  readonly store: Store;
  readonly known: Pick<KnownUnits, 'choose'>;
  /** The name by which a unit runs its image, as far as that is known. */
  readonly imageOf: (unit: string) => string | null;
  /** The unit that stands for podman's auto-update. */
  readonly autoUpdateUnit: string;
  /** There is a new task. */
  readonly onTask: () => void;
};

/** Joins them to the store. */
export function createManualTasks(parts: ManualTaskParts): ManualTasks {
  const { store, known, imageOf, autoUpdateUnit, onTask } = parts;
  return {
    start(request) {
      const { unit, version, planned, restart } = request;
      const image = planned?.image ?? imageOf(unit);
      const id = makeManualTask(store, { unit, version, planned, restart, image }, request);
      onTask();
      return id;
    },
    startAll(chosen, request) {
      const batchId = newIdentifier('bat');
      const { version, restart } = request;
      const make = (unit: string) =>
        makeManualTask(store, { unit, version, restart, image: imageOf(unit), batchId }, request);
      const tasks = store.transact(() => chosen.map((unit) => ({ unit, task_id: make(unit) })));
      onTask();
      return { batch_id: batchId, tasks };
    },
    maintain(action, cause) {
      const id = makeMaintenanceTask(store, action, cause);
      onTask();
      return id;
    },
    autoUpdate(mode, cause) {
      const task = makeAutoUpdateTask(store, autoUpdateUnit, mode, cause);
      if (task.isNew) onTask();
      return task;
    },
    retry(id, asker) {
      const again = retryTask(store, known, id, asker);
      if (again.ok) onTask();
      return again;
    },
  };
}
