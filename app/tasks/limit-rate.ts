import type { Settings } from '../../shared/config/settings.ts';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import { type RateWindow, untilAllowed } from '../domain/rate-window.ts';

/**
 * Takes one place in every window of a kind of call; to be called inside of the transaction that does what is limited, so
 * that what fails takes none. RATE_LIMITED with the time until there is one again.
 */
export function takePlace(
  store: Store,
  bucket: string,
  windows: readonly RateWindow[],
  nowMs: number,
): Outcome<void> {
  const most = Math.max(...windows.map(({ count }) => count));
  const longestMs = Math.max(...windows.map(({ windowMs }) => windowMs));
  const waitMs = untilAllowed(store.rateLimits.list(bucket, most), windows, nowMs);
  if (waitMs > 0) {
    const detail = `The next one is let through in ${Math.ceil(waitMs / 1000)} s.`;
    const { failure } = fail('RATE_LIMITED', detail);
    return { ok: false, failure: { ...failure, retryAfterMs: waitMs } };
  }
  store.rateLimits.add(bucket, nowMs, longestMs);
  return succeed(undefined);
}

/** How often deliveries may have an image deployed. */
export function imageLimitOf({
  imageLimitCount: count,
  imageLimitWindowSecs,
}: Pick<Settings, 'imageLimitCount' | 'imageLimitWindowSecs'>): RateWindow {
  return { count, windowMs: imageLimitWindowSecs * 1000 };
}

/** How often the old path may have podman's auto-update run. */
export function autoUpdateWindowsOf(
  settings: Pick<Settings, 'limit1Count' | 'limit1WindowSecs' | 'limit2Count' | 'limit2WindowSecs'>,
): readonly RateWindow[] {
  return [
    { count: settings.limit1Count, windowMs: settings.limit1WindowSecs * 1000 },
    { count: settings.limit2Count, windowMs: settings.limit2WindowSecs * 1000 },
  ];
}
