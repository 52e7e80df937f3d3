import { setTimeout as wait } from 'node:timers/promises';
import type { Outcome } from '../../shared/contract/outcome.ts';
import { backoffMs } from '../domain/backoff.ts';
import { explainAbort } from './explain-failure.ts';
import type { RegistryRequest, RegistryResponse } from './registry-session.ts';

/** What passes by itself, as a rule: an overload, a restart, a gateway without its server. */
const UNAVAILABLE = [500, 502, 503, 504];
const MAX_RETRIES = 3;
const FIRST_PAUSE_MS = 500;

/** Sends one request without following redirects. */
export type Exchange = (request: RegistryRequest) => Promise<Outcome<RegistryResponse>>;

/**
 * Repeats what only reads while the server says that it cannot answer now: at most three times altogether, however
 * many requests go through, with growing pauses of random length from `firstPauseMs` (default 500 ms) on. A limit that
 * runs out in a pause leaves the last answer: it says more than the limit does. Throws the reason of `signal` where the
 * caller gave up.
 */
export function retryUnavailable(
  exchange: Exchange,
  signal: AbortSignal,
  firstPauseMs = FIRST_PAUSE_MS,
): Exchange {
  let retries = 0;
  return async (request) => {
    for (;;) {
      const answer = await exchange(request);
      if (!answer.ok || !UNAVAILABLE.includes(answer.value.status)) return answer;
      if (request.method === 'POST' || retries === MAX_RETRIES) return answer;
      retries++;
      const pause = wait(backoffMs(firstPauseMs, retries, Math.random()), true, { signal });
      const isOver = await pause.catch(() => false);
      if (isOver) continue;
      explainAbort(signal, request.url.host);
      return answer;
    }
  };
}
