import type { EventRetention } from './event-retention.ts';

/** How long is kept what has gathered, in milliseconds. */
export type Retention = {
  /** Tasks that are over, with their logs; and with them what else tells of a deployment. */
  readonly taskMaxAgeMs: number;
  readonly deliveryMaxAgeMs: number;
  readonly events: EventRetention;
  /** What is of use for hours only, and what earlier programs have left. */
  readonly shortMaxAgeMs: number;
};

/** Of each unit so many tasks stay, however old: the last one may be years ago, and is what a person looks for. */
export const TASKS_KEPT_PER_UNIT = 10;

const DAY_MS = 86_400_000;
/** For so long what is of use for hours only is kept, where nobody says otherwise. */
export const SHORT_MAX_AGE_MS = DAY_MS;
/** Runs of the schedule that went well, which comes many times a day. */
const RUNS_KEPT_MS = 30 * DAY_MS;
/** What deliveries were made of, and what was refused. */
const BODIES_KEPT_MS = 30 * DAY_MS;
/** What registries have said, and what can be found out anew. */
const CACHES_KEPT_MS = 30 * DAY_MS;
/** Longer than any image has to be known before it is deployed, see PODUP_DEPLOY_MIN_AGE_MS. */
const SIGHTINGS_KEPT_MS = 400 * DAY_MS;

/** Longer than a copy of the database is of use: what was revoked is good again in one that is older. */
const REVOCATIONS_KEPT_MS = 730 * DAY_MS;

/** As long as any window may be set to: one that was cut would let through more than it says. No person can shorten that. */
const CALLS_KEPT_MS = 31 * DAY_MS;

/** The moments before which things are old; each rule names one. `events` is not among them, for it also counts rows. */
export type Cutoffs = Readonly<
  Record<
    | 'tasks'
    | 'runs'
    | 'deliveries'
    | 'bodies'
    | 'sightings'
    | 'answers'
    | 'caches'
    | 'revocations'
    | 'short'
    | 'calls'
    | 'now',
    number
  >
>;

/** What is older than these is to go. */
export function cutoffsOf(
  { taskMaxAgeMs, deliveryMaxAgeMs, shortMaxAgeMs }: Retention,
  nowMs: number,
): Cutoffs {
  return {
    tasks: nowMs - taskMaxAgeMs,
    runs: nowMs - Math.min(taskMaxAgeMs, RUNS_KEPT_MS),
    deliveries: nowMs - deliveryMaxAgeMs,
    bodies: nowMs - Math.min(deliveryMaxAgeMs, BODIES_KEPT_MS),
    sightings: nowMs - Math.max(taskMaxAgeMs, SIGHTINGS_KEPT_MS),
    // For a day they are given again, and nothing is done twice: no person can shorten that.
    answers: nowMs - Math.max(shortMaxAgeMs, SHORT_MAX_AGE_MS),
    caches: nowMs - CACHES_KEPT_MS,
    revocations: nowMs - REVOCATIONS_KEPT_MS,
    short: nowMs - shortMaxAgeMs,
    calls: nowMs - CALLS_KEPT_MS,
    now: nowMs,
  };
}

/** Tables that are pruned, in this order: what is named first may be what a later one waits for. */
export const PRUNED_TABLES = [
  'tasks',
  'deliveries',
  'delivery_bodies',
  'refused_deliveries',
  'missed_deliveries',
  'tracked_tags',
  'events',
  'image_sightings',
  'quarantined_images',
  'plans',
  'idempotency_keys',
  'rate_limit_tokens',
  'failed_credentials',
  'update_checks',
  'registry_tags',
  'index_manifests',
  'registry_hosts',
  'auto_update_imports',
  'revocations',
] as const;

/** Files that are pruned: where, which, and which moment they are older than. */
export type FileRule = {
  readonly base: 'stateDir' | 'intakeDir' | 'reportsDir';
  /** Below the base; never a link. */
  readonly folder?: string;
  readonly name: RegExp;
  readonly cutoff: keyof Cutoffs;
};

/** The files of each kind. */
export const PRUNED_FILES = {
  /** Segments of the spool that could not be read whole, kept aside for a person. */
  damaged_segments: [{ base: 'intakeDir', name: /\.spool\.damaged$/, cutoff: 'deliveries' }],
  /** Reports of self-updates that are tasks by now, or were none. */
  reports: [{ base: 'reportsDir', name: /\.json\.(?:imported|rejected)$/, cutoff: 'tasks' }],
  /** Times of requests, as the earlier programs of this name kept them. */
  legacy_tokens: [
    { base: 'stateDir', name: /^ratelimit\.db$/, cutoff: 'short' },
    { base: 'stateDir', folder: 'github-image-limits', name: /\.db$/, cutoff: 'short' },
  ],
  /** Their locks. */
  legacy_locks: [
    { base: 'stateDir', name: /^ratelimit\.lock$/, cutoff: 'short' },
    { base: 'stateDir', folder: 'github-image-locks', name: /\.lock$/, cutoff: 'short' },
    { base: 'stateDir', folder: 'task-pids', name: /\.pid(?:\.tmp)?$/, cutoff: 'short' },
  ],
} as const satisfies Record<string, readonly FileRule[]>;

/** Folders of the earlier programs, which go when nothing is left in them. */
export const LEGACY_FOLDERS = ['github-image-limits', 'github-image-locks', 'task-pids'] as const;

/** All that is pruned, by what is counted. */
export const PRUNED = [
  ...PRUNED_TABLES,
  'spool_positions',
  ...(Object.keys(PRUNED_FILES) as (keyof typeof PRUNED_FILES)[]),
  'legacy_folders',
] as const;

/** How many of each there are to go, or have gone. */
export type PruneCounts = Readonly<Record<(typeof PRUNED)[number], number>>;
