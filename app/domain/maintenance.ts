/**
 * What is done without being about one unit: keeping the program's own state in order, looking for updates of all units and
 * deploying those that ask for it, comparing what runs with what was deployed.
 */
export const MAINTENANCE_ACTIONS = [
  'auto-update',
  'check-updates',
  'missed-deliveries',
  'reconcile',
  'prune',
  'backup',
] as const;

/** One of them. */
export type MaintenanceAction = (typeof MAINTENANCE_ACTIONS)[number];

/** In place of a unit: such a task is about the program itself, and one runs at a time. */
export const MAINTENANCE_UNIT = 'pod-upgrade-trigger';
