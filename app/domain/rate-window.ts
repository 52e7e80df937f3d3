/** At most `count` calls in any `windowMs`. */
export type RateWindow = { readonly count: number; readonly windowMs: number };

/**
 * In how many milliseconds a call is let through again: 0 where it is now. `calls` are the moments of those that were let
 * through, of any order; a refused call counts nowhere. One from the future, of a clock that was set back, counts as now.
 */
export function untilAllowed(
  calls: readonly number[],
  windows: readonly RateWindow[],
  nowMs: number,
): number {
  const past = calls.map((at) => Math.min(at, nowMs)).sort((a, b) => b - a);
  const waits = windows.map(({ count, windowMs }) => {
    if (count === 0) return windowMs;
    // The newest `count`: when the oldest of them leaves the window there is room for one.
    const oldest = past[count - 1];
    return oldest === undefined ? 0 : Math.max(0, oldest + windowMs - nowMs);
  });
  return Math.max(0, ...waits);
}
