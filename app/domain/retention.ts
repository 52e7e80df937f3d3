import type { EventRetention } from './event-retention.ts';

/** How long is kept what the database has gathered, in milliseconds. */
export type Retention = {
  /** Tasks that are over, with their logs; and with them what else tells of a deployment. */
  readonly taskMaxAgeMs: number;
  readonly deliveryMaxAgeMs: number;
  readonly events: EventRetention;
};

/** Of each unit so many tasks stay, however old: the last one may be years ago, and is what a person looks for. */
export const TASKS_KEPT_PER_UNIT = 10;

/** What is removed, table by table, in this order: what is named first may be what a later one waits for. */
export const PRUNED = [
  'tasks',
  'deliveries',
  'events',
  'image_sightings',
  'quarantined_images',
  'plans',
] as const;

/** How many rows of each table. */
export type PruneCounts = Readonly<Record<(typeof PRUNED)[number], number>>;
