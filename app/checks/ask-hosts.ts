import { setTimeout as wait } from 'node:timers/promises';
import { type Failure, fail, type Outcome } from '../../shared/contract/outcome.ts';
import { mapWithin } from '../domain/map-within.ts';
import type { HostLimits } from './host-limits.ts';

/** One question of a host. */
export type HostQuestion = {
  readonly host: string;
  /** Resolves with the failure, where there was one; what it learns it keeps itself. */
  readonly ask: () => Promise<Outcome<unknown>>;
  /** Hears that it was not asked, or not answered. */
  readonly onFailure: (failure: Failure) => void;
};

const HOSTS_AT_ONCE = 32;
/** As many as a browser has. */
const PER_HOST = 6;
/** So long a host is waited for that asks to be left alone for a moment. */
const PATIENCE_MS = 5_000;
/** After so many questions in a row without an answer a host is not asked any more. */
const DEAD_AFTER = 2;

/**
 * Asks all questions, of up to 32 hosts at once and up to six of each. A host that is slow, limits the rate or is gone
 * holds up no other: what it is not asked for fails with REGISTRY_RATE_LIMITED, or as the last question did.
 */
export async function askHosts(
  questions: readonly HostQuestion[],
  limits: HostLimits,
  signal: AbortSignal,
): Promise<void> {
  const byHost = [...Map.groupBy(questions, ({ host }) => host).values()];
  await mapWithin(byHost, HOSTS_AT_ONCE, async (ofHost) => {
    const state: HostState = { failures: 0, signal };
    await mapWithin(ofHost, PER_HOST, async (question) => {
      const answer = await askOne(question, limits, state);
      if (!answer.ok) question.onFailure(answer.failure);
    });
  });
}

type HostState = { failures: number; dead?: Failure; readonly signal: AbortSignal };

async function askOne(
  { host, ask }: HostQuestion,
  limits: HostLimits,
  state: HostState,
): Promise<Outcome<unknown>> {
  for (let tries = 1; ; tries++) {
    const until = limits.pausedUntil(host);
    const restMs = until - Date.now();
    if (restMs > PATIENCE_MS) {
      const detail = `${host} is left alone until ${new Date(until).toISOString()}.`;
      return fail('REGISTRY_RATE_LIMITED', detail);
    }
    if (restMs > 0) await wait(restMs, undefined, { signal: state.signal }).catch(() => undefined);
    if (state.dead) return { ok: false, failure: state.dead };
    const answer = await ask();
    noteEnd(answer, state);
    const isLimited = !answer.ok && answer.failure.code === 'REGISTRY_RATE_LIMITED';
    if (!isLimited || tries > 1) return answer;
    // Only a host that asks for a moment is asked for the same again.
  }
}

function noteEnd(answer: Outcome<unknown>, state: HostState): void {
  const { code } = answer.ok ? {} : answer.failure;
  if (code !== 'REGISTRY_UNREACHABLE' && code !== 'REGISTRY_TIMEOUT') {
    state.failures = 0;
    return;
  }
  state.failures += 1;
  if (state.failures >= DEAD_AFTER && !answer.ok) state.dead = answer.failure;
}
