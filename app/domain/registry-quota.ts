/** What a registry says that may still be asked of it. */
export type Quota = {
  readonly limit: number;
  readonly remaining: number;
  /** In seconds; null where it is not said. */
  readonly windowS: number | null;
  /** Until the count begins anew, in seconds; null where it is not said. */
  readonly resetS: number | null;
};

/** What is known of the rate limit of a host. Times are milliseconds since the epoch. */
export type HostLimit = {
  readonly quota: Quota | null;
  /** It is not asked before. */
  readonly pausedUntil: number;
  /** How often in a row it has said that it was asked too often. */
  readonly refusals: number;
};

/** The head of an answer, as far as it tells of limits. */
export type LimitedAnswer = {
  readonly status: number;
  /** `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  readonly quota: Quota | undefined;
};

export const UNLIMITED: HostLimit = { quota: null, pausedUntil: 0, refusals: 0 };

const FIRST_PAUSE_MS = 60_000;
const MAX_PAUSE_MS = 3_600_000;
/** Of what is left less than that part is for deployments, which have to pull. */
const RESERVE = 0.1;
/** Where it is not said when the count begins anew it is looked at again after that time. */
const LOOK_AGAIN_MS = 900_000;

/** `100;w=21600` as Docker Hub writes it, or `100, 100;w=60` of older drafts: the first number and its window. */
const COUNTED = /^\s*(\d{1,9})\b[^,]*?(?:;\s*w=(\d{1,9}))?\s*(?:,|$)/;

/**
 * Reads `ratelimit-limit`, `ratelimit-remaining` and `ratelimit-reset` (draft-ietf-httpapi-ratelimit-headers, 00 to 06;
 * docs.docker.com, "Pull usage and limits"). Undefined where the first two are not there: there is no limit then.
 */
export function parseQuota(header: (name: string) => string | undefined): Quota | undefined {
  const limit = COUNTED.exec(header('ratelimit-limit') ?? '');
  const remaining = COUNTED.exec(header('ratelimit-remaining') ?? '');
  if (!limit || !remaining) return undefined;
  const window = limit[2] ?? remaining[2];
  const reset = /^\d{1,9}$/.exec(header('ratelimit-reset') ?? '')?.[0];
  return {
    limit: Number(limit[1]),
    remaining: Number(remaining[1]),
    windowS: window === undefined ? null : Number(window),
    resetS: reset === undefined ? null : Number(reset),
  };
}

/**
 * What is known of a host after an answer of it. After a 429 it is left alone for as long as it says, else for a minute
 * and twice as long each further time; and where less than a tenth of what it allows is left, until the count begins anew.
 * Never longer than an hour: whoever says more is asked once an hour.
 */
export function noteAnswer(known: HostLimit, answer: LimitedAnswer, nowMs: number): HostLimit {
  const quota = answer.quota ?? known.quota;
  if (answer.status === 429) {
    const refusals = known.refusals + 1;
    const own = FIRST_PAUSE_MS * 2 ** Math.min(refusals - 1, 6);
    const pauseMs = Math.min(answer.retryAfterMs ?? own, MAX_PAUSE_MS);
    return { quota, refusals, pausedUntil: Math.max(known.pausedUntil, nowMs + pauseMs) };
  }
  if (answer.quota && answer.quota.remaining < answer.quota.limit * RESERVE) {
    const { resetS, windowS } = answer.quota;
    const again = Math.min((windowS ?? LOOK_AGAIN_MS) * 1_000, LOOK_AGAIN_MS);
    const pauseMs = Math.min(resetS === null ? again : resetS * 1_000, MAX_PAUSE_MS);
    return { quota, refusals: 0, pausedUntil: Math.max(known.pausedUntil, nowMs + pauseMs) };
  }
  // An answer that was under way when the pause began does not end it.
  const isOver = known.pausedUntil <= nowMs;
  return { quota, refusals: isOver ? 0 : known.refusals, pausedUntil: known.pausedUntil };
}
