/** What is done to keep the program's own state in order. */
export const MAINTENANCE_ACTIONS = ['prune', 'backup'] as const;

/** One of them. */
export type MaintenanceAction = (typeof MAINTENANCE_ACTIONS)[number];

/** In place of a unit: such a task is about the program itself, and one runs at a time. */
export const MAINTENANCE_UNIT = 'pod-upgrade-trigger';
