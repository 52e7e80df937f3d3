/** A task waits this often in a row for a registry that limits the rate; then it fails. */
const MAX_RATE_LIMIT_WAITS = 5;
const MIN_WAIT_MS = 1_000;
const FIRST_WAIT_MS = 60_000;
const MAX_WAIT_MS = 3_600_000;

/**
 * How long a task leaves a registry alone that limits the rate, in milliseconds: as long as the registry asks, else a
 * minute, doubling with each time in a row (`waitsBefore`). Who came back when told and is refused again does not take
 * its word for less than that. From a second to an hour; undefined where the task has waited often enough.
 */
export function decideRateLimitWait(
  retryAfterMs: number | undefined,
  waitsBefore: number,
): number | undefined {
  if (waitsBefore >= MAX_RATE_LIMIT_WAITS) return undefined;
  const own = FIRST_WAIT_MS * 2 ** waitsBefore;
  const least = waitsBefore === 0 ? MIN_WAIT_MS : own / 2;
  return Math.min(Math.max(retryAfterMs ?? own, least), MAX_WAIT_MS);
}
