import { minutesUntilWindow, type UnitPolicy } from '../domain/unit-policy.ts';

/** Why a deployment has to wait, and until when by the wall clock. */
export type NotBefore = { readonly why: string; readonly atMs: number };

/**
 * Whether the policy of a unit lets it be deployed now: the age of the image first, then the window, which is for
 * restarts: an image that is only pulled does not wait for it.
 */
export function findNotBefore(
  { minAgeMs, windows, mode }: Pick<UnitPolicy, 'minAgeMs' | 'windows' | 'mode'>,
  firstSeenMs: number,
  nowMs: number,
): NotBefore | undefined {
  const oldEnough = firstSeenMs + minAgeMs;
  if (nowMs < oldEnough) {
    return { why: `is too new until ${new Date(oldEnough).toISOString()}`, atMs: oldEnough };
  }
  if (mode === 'stage') return undefined;
  const local = new Date(nowMs);
  const minutes = minutesUntilWindow(windows, {
    weekday: local.getDay(),
    minuteOfDay: local.getHours() * 60 + local.getMinutes(),
  });
  if (minutes === 0) return undefined;
  // Where the clock is set forward on the way the window opens earlier by that. Too early is looked at again.
  const openMs = nowMs - (nowMs % 60_000) + minutes * 60_000;
  const forwardMinutes = Math.max(
    local.getTimezoneOffset() - new Date(openMs).getTimezoneOffset(),
    0,
  );
  const atMs = Math.max(openMs - forwardMinutes * 60_000, nowMs + 1);
  return { why: `waits for its window, ${new Date(atMs).toISOString()}`, atMs };
}
