import type { MaintenanceAction } from './maintenance.ts';
import type { AutoUpdateMode } from './podman-auto-update.ts';

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
  /** There where it restarts the unit as it is, and pulls nothing. */
  readonly restart?: true;
  /** There where podman's own auto-update is run, of all units that carry its label. */
  readonly podmanAutoUpdate?: AutoUpdateMode;
};
