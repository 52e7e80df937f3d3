import type { State as WorkerState } from './state.ts';

/**
 * The process that accepts webhooks while no worker can: through a long migration, a back-off, or when both versions
 * are bad. It serves the same socket and needs no database.
 */
export type Standby =
  /** Not needed. */
  | { readonly phase: 'off' }
  /** No worker serves; the next one may be ready in a moment. */
  | { readonly phase: 'waiting' }
  | { readonly phase: 'on' };

/** What can happen to it. */
export type StandbyEvent = { readonly kind: 'standby-timer' } | { readonly kind: 'standby-exited' };

/** What is to be done about it. */
export type StandbyEffect =
  | { readonly kind: 'set-standby-timer'; readonly afterMs: number }
  | { readonly kind: 'clear-standby-timer' }
  | { readonly kind: 'start-standby' }
  /** Politely: what it has begun it ends. */
  | { readonly kind: 'stop-standby' };

export type StandbyStep = {
  readonly standby: Standby;
  readonly effects: readonly StandbyEffect[];
};

/** Senders of webhooks wait ten seconds; a worker that starts in ordinary times is there sooner than this. */
export const STANDBY_AFTER_MS = 3_000;
/** When it ends by itself, it is started again after this time. */
const RESTART_AFTER_MS = 2_000;

/** What follows for the standby once the worker is where it is now. */
export function stepStandby(
  standby: Standby,
  worker: WorkerState,
  event: StandbyEvent | undefined,
): StandbyStep {
  const isWanted = !['idle', 'running', 'stopped'].includes(worker.phase) && !isEnding(worker);
  switch (standby.phase) {
    case 'off':
      return isWanted ? wait(STANDBY_AFTER_MS) : { standby, effects: [] };
    case 'waiting':
      if (!isWanted) return end([{ kind: 'clear-standby-timer' }]);
      return event?.kind === 'standby-timer'
        ? { standby: { phase: 'on' }, effects: [{ kind: 'start-standby' }] }
        : { standby, effects: [] };
    case 'on':
      if (!isWanted) return end([{ kind: 'stop-standby' }]);
      return event?.kind === 'standby-exited' ? wait(RESTART_AFTER_MS) : { standby, effects: [] };
  }
}

/** The whole service ends: the socket is about to go. */
function isEnding(worker: WorkerState): boolean {
  return worker.phase === 'stopping' && worker.cause === 'shutdown';
}

function wait(afterMs: number): StandbyStep {
  return { standby: { phase: 'waiting' }, effects: [{ kind: 'set-standby-timer', afterMs }] };
}

function end(effects: readonly StandbyEffect[]): StandbyStep {
  return { standby: { phase: 'off' }, effects };
}
