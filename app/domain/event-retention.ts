/** How much of the event log is kept. */
export type EventRetention = {
  /** Older events go, in milliseconds. */
  readonly maxAgeMs: number;
  /** Of more than so many the oldest go. */
  readonly maxRows: number;
};

/**
 * How many of the oldest events go. Only a whole beginning can go, for what is left must still be a chain: an event
 * with a time in the future, which a wrong clock has given, keeps what is behind it until the number of rows decides.
 * @param oldest their times, in the order in which they were recorded
 */
export function countExpired(
  oldest: readonly number[],
  keptRows: number,
  { maxAgeMs, maxRows }: EventRetention,
  nowMs: number,
): number {
  const tooMany = Math.max(keptRows - maxRows, 0);
  const firstYoung = oldest.findIndex((ts) => ts >= nowMs - maxAgeMs);
  const tooOld = firstYoung === -1 ? oldest.length : firstYoung;
  return Math.min(Math.max(tooMany, tooOld), oldest.length);
}
