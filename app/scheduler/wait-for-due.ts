import { findDue, findNextRun, type Timing } from '../domain/schedule.ts';
import type { Clock } from './clock.ts';

/** A wall clock that is set is noticed within this time. */
const LONGEST_SLEEP_MS = 30_000;

/** Waits until a due time has come that is not `lastDueAt`, and gives it; undefined once `signal` is aborted. */
export async function waitForDue(
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
