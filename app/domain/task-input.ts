import { MAINTENANCE_ACTIONS, type MaintenanceAction } from './maintenance.ts';
import type { AutoUpdateMode } from './podman-auto-update.ts';

/** What a task may do: the closed list, those of maintenance included. */
export const TASK_WORKS = [
  'deploy',
  'restart',
  'podman-auto-update',
  'podman-auto-update-dry-run',
  ...MAINTENANCE_ACTIONS,
] as const;

/** One of them. */
export type TaskWork = (typeof TASK_WORKS)[number];

/** What a task does, of what it was asked to. */
export function workOf({ maintenance, restart, podmanAutoUpdate }: Partial<TaskInput>): TaskWork {
  if (maintenance) return maintenance;
  if (restart) return 'restart';
  if (podmanAutoUpdate === undefined) return 'deploy';
  return podmanAutoUpdate === 'run' ? 'podman-auto-update' : 'podman-auto-update-dry-run';
}

/** What a task was asked to do, enough to do it anew. */
export type TaskInput = {
  readonly unit: string;
  /** The version that was chosen; null: what the tag of the unit means. */
  readonly version: string | null;
  /** The image for which it was made; null where that was not known. */
  readonly image: string | null;
  /** There where it keeps the program's own state in order, and deploys nothing. */
  readonly maintenance?: MaintenanceAction;
  /** Of a `prune`: how long is kept what is of use for hours only, in milliseconds. */
  readonly maxAgeMs?: number;
  /** Of a look for missed deliveries: only at the other tags of repositories that something was pushed to. */
  readonly pushedOnly?: true;
  /** Of a look for missed deliveries: how often it is done anew where registries do not answer. */
  readonly triesLeft?: number;
  /** There where it restarts the unit as it is, and pulls nothing. */
  readonly restart?: true;
  /** There where podman's own auto-update is run, of all units that carry its label. */
  readonly podmanAutoUpdate?: AutoUpdateMode;
};
