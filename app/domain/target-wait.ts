const FIRST_WAIT_MS = 30_000;
const MAX_WAIT_MS = 3_600_000;
/** About a day and a half. */
const MAX_WAITS = 40;

/**
 * How long a unit that has to be brought back waits for its host, which is out of reach, in milliseconds: half a minute,
 * doubling with each time before (`waitsBefore`), up to an hour; undefined where it has waited often enough.
 */
export function decideTargetWait(waitsBefore: number): number | undefined {
  if (waitsBefore >= MAX_WAITS) return undefined;
  return Math.min(FIRST_WAIT_MS * 2 ** waitsBefore, MAX_WAIT_MS);
}
