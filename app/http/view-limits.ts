import type { LimitsView } from '../api/limit-views.ts';
import {
  ALL_ADDRESSES,
  CREDENTIAL_KINDS,
  type CredentialLimits,
  type CredentialTally,
  emptyTally,
  isKnownAddress,
  isStale,
  limitedUntil,
} from '../domain/failed-credentials.ts';
import type { RateWindow } from '../domain/rate-window.ts';
import type { AutoUpdateLimit } from '../tasks/auto-update-limit.ts';
import type { ConnectionState } from './connections/guard-connections.ts';

type Parts = {
  readonly autoUpdate: AutoUpdateLimit;
  readonly image: RateWindow;
  readonly tallies: readonly CredentialTally[];
  readonly limits: CredentialLimits;
  readonly connections: ConnectionState | undefined;
  readonly nowMs: number;
};

/** Of more addresses nobody reads. */
const MAX_ADDRESSES = 500;

/** All limits with what is counted for each. */
export function viewLimits(parts: Parts): LimitsView {
  const { autoUpdate, image, tallies, limits, connections, nowMs } = parts;
  const isLive = (tally: CredentialTally) =>
    tally.count > 0 && !isStale({ ...tally, good_at: 0 }, limits.windowMs, nowMs);
  const addresses = tallies
    .filter((tally) => tally.address !== ALL_ADDRESSES && isLive(tally))
    .slice(0, MAX_ADDRESSES);
  const totals = CREDENTIAL_KINDS.map(
    (kind) =>
      tallies.find(
        (tally) => tally.kind === kind && tally.address === ALL_ADDRESSES && isLive(tally),
      ) ?? emptyTally(kind, ALL_ADDRESSES),
  );
  return {
    auto_update: {
      windows: autoUpdate.windows.map(({ used, ...window }) => ({ ...windowView(window), used })),
      free_at: autoUpdate.freeAt === null ? null : isoTime(autoUpdate.freeAt),
    },
    images: windowView(image),
    credentials: {
      per_address: limits.perAddress,
      total: limits.total,
      window_secs: limits.windowMs / 1000,
      totals: totals.map((tally) => viewTally(tally, limits, nowMs)),
      addresses: addresses.map((tally) => viewTally(tally, limits, nowMs)),
    },
    connections: connections ? viewConnections(connections) : null,
  };
}

function viewTally(tally: CredentialTally, limits: CredentialLimits, nowMs: number) {
  const until = limitedUntil(tally, limits, nowMs);
  return {
    ...{ kind: tally.kind, address: tally.address },
    ...{ failed: tally.count, refused: tally.refused },
    last_at: tally.last_at === 0 ? null : isoTime(tally.last_at),
    limited_until: until === undefined ? null : isoTime(until),
    known: isKnownAddress(tally, nowMs),
  };
}

function viewConnections({ limits, open, addresses, cut, cutAt }: ConnectionState) {
  return {
    ...{ max: limits.total, max_per_address: limits.perAddress },
    ...{ open, addresses: [...addresses] },
    cut: {
      ...{ total: cut.total, address: cut.address, slow_head: cut['slow-head'] },
      ...{ slow_body: cut['slow-body'], slow_reader: cut['slow-reader'] },
    },
    cut_at: cutAt === null ? null : isoTime(cutAt),
  };
}

function windowView({ count, windowMs }: RateWindow) {
  return { count, window_secs: windowMs / 1000 };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
