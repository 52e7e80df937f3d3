/** What connections may be and do. */
export type ConnectionLimits = {
  /** How many may be open in all. */
  readonly total: number;
  /** How many there may be for the moment until it is known who of them has something to say; more than `total`. */
  readonly burst: number;
  /** How many of them by one address. */
  readonly perAddress: number;
  /** How long the head of the first request may take, in milliseconds. */
  readonly headTimeoutMs: number;
  /** How long a whole request may take to arrive, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** How many bytes a second a body has to arrive with, on the average; 0: any. */
  readonly minBodyRate: number;
};

/** What is known of a connection on which a request arrives. */
export type Arrival = {
  /** Since its first byte was waited for. */
  readonly elapsedMs: number;
  readonly bytes: number;
};

/** For the database, the spool, what is watched, commands and their pipes. */
const RESERVED_DESCRIPTORS = 256;
/** A sender may pause for so long before its rate is looked at. */
const RATE_GRACE_MS = 5_000;

/**
 * How many connections there may be where `wanted` are configured and the process may have `descriptors` files open
 * (undefined: nobody knows): so few that the program always has descriptors for its own work.
 */
export function capConnections(wanted: number, descriptors: number | undefined): number {
  if (descriptors === undefined) return wanted;
  const most = Math.max(descriptors - RESERVED_DESCRIPTORS, Math.floor(descriptors / 2));
  return Math.max(1, Math.min(wanted, most));
}

/** Whether a request arrives more slowly than it may. */
export function isTooSlow(
  { elapsedMs, bytes }: Arrival,
  { requestTimeoutMs, minBodyRate }: Pick<ConnectionLimits, 'requestTimeoutMs' | 'minBodyRate'>,
): boolean {
  if (elapsedMs > requestTimeoutMs) return true;
  return elapsedMs > RATE_GRACE_MS && bytes < (minBodyRate * elapsedMs) / 1000;
}
