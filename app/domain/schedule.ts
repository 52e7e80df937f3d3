import { MAINTENANCE_ACTIONS } from './maintenance.ts';

/** What begins by itself, by the clock. */
export const SCHEDULED_JOBS = [...MAINTENANCE_ACTIONS, 'self-update'] as const;

/** One of them. */
export type ScheduledJob = (typeof SCHEDULED_JOBS)[number];

/** The times at which a job is due, in milliseconds since the epoch. */
export type DueTimes = {
  /** The last one that is not after `at`; undefined where there was none. */
  latest(at: number): number | undefined;
  /** The first one that is after `at`; undefined where none comes any more. */
  next(at: number): number | undefined;
};

/** When a job begins: its due times, and how long after each of them. */
export type Timing = {
  readonly times: DueTimes;
  /** The part of the spread that this host takes, 0 to 1: the same at each time. */
  readonly share: number;
  /** At most so long after its due time it begins, in milliseconds; never more than a tenth of the time to the next. */
  readonly spreadMs: number;
};

/** Every `everyMs`, counted from the epoch, so that all who use it agree. */
export function everyInterval(everyMs: number): DueTimes {
  const latest = (at: number) => Math.floor(at / everyMs) * everyMs;
  return { latest, next: (at) => latest(at) + everyMs };
}

/** A number from 0 to 1 that follows from the host and the job, so that hosts do not come all at once. */
export function shareOf(host: string, job: string): number {
  // FNV-1a, its bits mixed at the end as MurmurHash3 does.
  let hash = 0x811c9dc5;
  for (const letter of `${host}\n${job}`) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/**
 * The due time that is to be served now; undefined where none is. Of several that were missed it is the last: what was
 * missed is made up for once. A record from the future is believed for no longer than its job comes: the clock was wrong
 * when it was written, or is set back now, and neither may keep a job from coming for years.
 * @param lastDueAt the due time that was served last
 */
export function findDue(timing: Timing, lastDueAt: number, nowMs: number): number | undefined {
  const due = latestBegun(timing, nowMs);
  return due !== undefined && due > believe(timing, lastDueAt, nowMs) ? due : undefined;
}

/** When the job begins next, at once where it is due; undefined where it comes no more. */
export function findNextRun(timing: Timing, lastDueAt: number, nowMs: number): number | undefined {
  if (findDue(timing, lastDueAt, nowMs) !== undefined) return nowMs;
  const served = believe(timing, lastDueAt, nowMs);
  const { times } = timing;
  const latest = times.latest(nowMs);
  const isWaiting = latest !== undefined && latest > served;
  const due = isWaiting ? latest : times.next(Math.max(nowMs, served));
  return due === undefined ? undefined : beginOf(timing, due);
}

/** How long after its due time a job begins. */
export function delayOf({ times, share, spreadMs }: Timing, due: number): number {
  const gap = (times.next(due) ?? Number.POSITIVE_INFINITY) - due;
  return Math.floor(share * Math.min(spreadMs, gap / 10));
}

const beginOf = (timing: Timing, due: number) => due + delayOf(timing, due);

function latestBegun(timing: Timing, nowMs: number): number | undefined {
  const latest = timing.times.latest(nowMs);
  if (latest === undefined || beginOf(timing, latest) <= nowMs) return latest;
  return timing.times.latest(latest - 1);
}

function believe({ times }: Timing, lastDueAt: number, nowMs: number): number {
  const period = (times.next(lastDueAt) ?? Number.POSITIVE_INFINITY) - lastDueAt;
  return lastDueAt - nowMs < period ? lastDueAt : Number.NEGATIVE_INFINITY;
}
