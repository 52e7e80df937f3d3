import { everyInterval, findDue, findNextRun, type Timing } from '../domain/schedule.ts';
import type { Clock } from './clock.ts';

/** A wall clock that is set is noticed within this time. */
const LONGEST_SLEEP_MS = 30_000;

/** Waits until a due time has come that is not `lastDueAt`, and gives it; undefined once `signal` is aborted. */
async function waitForDue(
  clock: Clock,
  timing: Timing,
  lastDueAt: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  while (!signal.aborted) {
    const nowMs = clock.now();
    const due = findDue(timing, lastDueAt, nowMs);
    if (due !== undefined) return due;
    const next = findNextRun(timing, lastDueAt, nowMs) ?? Number.POSITIVE_INFINITY;
    await sleep(clock, Math.min(next - nowMs, LONGEST_SLEEP_MS), signal);
  }
  return undefined;
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener('abort', end);
  });
}

/** A clock of a process that does one thing again and again. */
export type Ticking = {
  readonly clock: Clock;
  readonly everyMs: number;
  /** After so many it ends. */
  readonly maxTicks: number;
  readonly signal: AbortSignal;
  /** Is waited for: times that come meanwhile are made up for once. */
  readonly tick: (dueAt: number) => Promise<void>;
};

/** Ticks at once, for the last due time, and then at each multiple of the interval since the epoch. */
export async function tickEvery({
  clock,
  everyMs,
  maxTicks,
  signal,
  tick,
}: Ticking): Promise<void> {
  const timing = { times: everyInterval(everyMs), share: 0, spreadMs: 0 };
  let last = Number.NEGATIVE_INFINITY;
  for (let ticks = 0; ticks < maxTicks; ticks++) {
    const due = await waitForDue(clock, timing, last, signal);
    if (due === undefined) return;
    await tick(due);
    last = due;
  }
}
