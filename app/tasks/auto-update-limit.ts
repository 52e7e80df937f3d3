import type { Store } from '../db/store.ts';
import { type RateWindow, untilAllowed } from '../domain/rate-window.ts';

/** The bucket of the old path that has podman's auto-update run; its name is that of the earlier program. */
export const AUTO_UPDATE_BUCKET = 'manual-auto-update';

/** How it stands with the windows of the old path. */
export type AutoUpdateLimit = {
  readonly windows: readonly (RateWindow & { readonly used: number })[];
  /** When it is let through again; null: now. */
  readonly freeAt: number | null;
};

/** How often the old path was called in each of its windows. */
export function viewAutoUpdateLimit(
  { rateLimits }: Pick<Store, 'rateLimits'>,
  windows: readonly RateWindow[],
  nowMs: number,
): AutoUpdateLimit {
  const most = Math.max(...windows.map(({ count }) => count));
  const calls = rateLimits.list(AUTO_UPDATE_BUCKET, most);
  const waitMs = untilAllowed(calls, windows, nowMs);
  return {
    windows: windows.map((window) => ({
      ...window,
      used: calls.filter((at) => at > nowMs - window.windowMs).length,
    })),
    freeAt: waitMs === 0 ? null : nowMs + waitMs,
  };
}

/** Forgets its calls; how many. */
export function releaseAutoUpdate({ rateLimits }: Pick<Store, 'rateLimits'>): number {
  return rateLimits.release(AUTO_UPDATE_BUCKET);
}
