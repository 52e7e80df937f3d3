import { EXIT } from '../../shared/contract/exit-codes.ts';
import type { WorkerExit } from './event.ts';
import type { Tally } from './state.ts';

/** The numbers that rule a supervisor, in milliseconds where not said otherwise. */
export type Policy = {
  readonly backoffInitialMs: number;
  readonly backoffMaxMs: number;
  readonly stopTimeoutMs: number;
  readonly startTimeoutMs: number;
  /** The same for a worker on trial. */
  readonly trialStartTimeoutMs: number;
  /** How long a worker that says it gets on is waited for anew. */
  readonly startGraceMs: number;
  /** The longest start of all, however often it says so. */
  readonly startLimitMs: number;
  readonly healthyAfterMs: number;
  /** How many restarts at once, without penalty, within `freeRestartsWithinMs`. */
  readonly freeRestartsMax: number;
  readonly freeRestartsWithinMs: number;
  /** Where set, a worker that lives this long counts as ready: for commands that never say so. */
  readonly readyAfterAliveMs?: number;
};

/** The part of the policy that is not configured. */
export const FIXED_POLICY = {
  /** Migrations of a large database may be long; only a worker that hangs takes this long without one. */
  startTimeoutMs: 300_000,
  /** Three of the worker's own signs of life, which come every five seconds, may get lost. */
  startGraceMs: 20_000,
  startLimitMs: 7_200_000,
  healthyAfterMs: 600_000,
  freeRestartsMax: 3,
  freeRestartsWithinMs: 60_000,
} as const;

/** A supervisor's first tally. */
export const NO_CRASHES: Tally = {
  crashes: 0,
  freeRestartsAtMs: [],
  everReady: false,
  trial: false,
};

/** The share of a wait by which it is made shorter or longer, so that several hosts do not beat in time. */
const JITTER = 0.2;

/** What follows the death of a worker that nobody asked to stop. */
export type Verdict =
  | { readonly kind: 'restart-now'; readonly tally: Tally }
  | { readonly kind: 'back-off'; readonly delayMs: number; readonly tally: Tally }
  | { readonly kind: 'give-up' }
  /** Waits until somebody has mended the configuration and reloads. */
  | { readonly kind: 'hold' };

/**
 * The table of exit codes. Exit 10 asks for an update; without a request behind it, it is Node's own "bootstrap
 * failure" and thus a crash like any other. `random` is in [0, 1).
 */
export function judgeExit(
  exit: WorkerExit,
  tally: Tally,
  inputs: { readonly nowMs: number; readonly random: number },
  policy: Policy,
): Verdict {
  if (exit.code === EXIT.configInvalid) return { kind: tally.everReady ? 'hold' : 'give-up' };
  if (exit.code === EXIT.restartNow || exit.adopted) {
    const since = inputs.nowMs - policy.freeRestartsWithinMs;
    const recent = tally.freeRestartsAtMs.filter((atMs) => atMs > since);
    if (recent.length < policy.freeRestartsMax) {
      return {
        kind: 'restart-now',
        tally: { ...tally, freeRestartsAtMs: [...recent, inputs.nowMs] },
      };
    }
  }
  return judgeCrash(tally, inputs.random, policy);
}

/** A crash: one more in the tally, and a wait before the next start. `random` is in [0, 1). */
export function judgeCrash(
  tally: Tally,
  random: number,
  policy: Policy,
): Verdict & { kind: 'back-off' } {
  return {
    kind: 'back-off',
    delayMs: backoffMs(tally.crashes, random, policy),
    tally: { ...tally, crashes: tally.crashes + 1 },
  };
}

function backoffMs(earlierCrashes: number, random: number, policy: Policy): number {
  const base = Math.min(policy.backoffInitialMs * 2 ** earlierCrashes, policy.backoffMaxMs);
  const jittered = base * (1 - JITTER + 2 * JITTER * random);
  return Math.round(Math.min(jittered, policy.backoffMaxMs));
}

/** The tally after a worker that became ready at `readyAtMs`: crashes before a healthy life are forgiven. */
export function settleTally(tally: Tally, readyAtMs: number, nowMs: number, policy: Policy): Tally {
  return nowMs - readyAtMs >= policy.healthyAfterMs ? { ...tally, crashes: 0 } : tally;
}
