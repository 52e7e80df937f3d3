/** The closed list of what credentials open: the API, or the intake of deliveries. */
export const CREDENTIAL_KINDS = ['admin', 'webhook'] as const;

/** One of them. */
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** How often credentials may fail in a window, and how long that is. */
export type CredentialLimits = {
  readonly perAddress: number;
  readonly total: number;
  readonly windowMs: number;
};

/** What is counted of an address, or of all. Times are milliseconds since the epoch; 0: never. */
export type CredentialTally = {
  readonly kind: CredentialKind;
  /** As `addressGroup` gives it; `*` for all. */
  readonly address: string;
  /** When the window began. */
  readonly since: number;
  /** How many failed in it. */
  readonly count: number;
  /** How many of them were answered with a refusal to look any more. */
  readonly refused: number;
  readonly last_at: number;
  /** When a good one came the last time. */
  readonly good_at: number;
};

/** Stands for all addresses. */
export const ALL_ADDRESSES = '*';

/** Who has shown a good credential within this time is let try on: others may call from the same address. */
const KNOWN_MS = 24 * 3_600_000;

/** Nothing counted yet. */
export function emptyTally(kind: CredentialKind, address: string): CredentialTally {
  return { kind, address, since: 0, count: 0, refused: 0, last_at: 0, good_at: 0 };
}

/** Counts one that failed; the window begins anew with the first one after its end. A clock that was set back ends it, too. */
export function countFailure(
  tally: CredentialTally,
  windowMs: number,
  nowMs: number,
): CredentialTally {
  const isOver = nowMs - tally.since >= windowMs || nowMs < tally.since;
  const { since, count, refused } = isOver ? { since: nowMs, count: 0, refused: 0 } : tally;
  return { ...tally, since, count: count + 1, refused, last_at: nowMs };
}

/** Until when an address, or all of them, have failed too often; undefined where they have not. */
export function limitedUntil(
  { address, count, since }: Pick<CredentialTally, 'address' | 'count' | 'since'>,
  { perAddress, total, windowMs }: CredentialLimits,
  nowMs: number,
): number | undefined {
  const most = address === ALL_ADDRESSES ? total : perAddress;
  const until = since + windowMs;
  return count >= most && nowMs >= since && nowMs < until ? until : undefined;
}

/** Whether a good credential has come from there lately. */
export function isKnownAddress({ good_at: at }: CredentialTally, nowMs: number): boolean {
  return at > 0 && Math.abs(nowMs - at) < KNOWN_MS;
}

/** Whether there is nothing left in it to go by. */
export function isStale(tally: CredentialTally, windowMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - tally.since) >= windowMs && !isKnownAddress(tally, nowMs);
}
