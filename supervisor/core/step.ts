import { EXIT } from '../../shared/contract/exit-codes.ts';
import type { Event } from './event.ts';
import {
  assertNever,
  backOff,
  beBorn,
  becomeReady,
  bury,
  endStop,
  failTrial,
  type Inputs,
  killStopping,
  leave,
  putOff,
  report,
  type Step,
  startWorker,
  stay,
  stopWorker,
  suspend,
  waitOn,
} from './moves.ts';
import { judgeCrash, NO_CRASHES, type Policy, settleTally } from './restart-policy.ts';
import type { BackingOff, Idle, Running, Starting, State, Stopping, Suspended } from './state.ts';

/**
 * Decides what follows an event. Total: each pair of state and event is decided, and one that means nothing leaves
 * the state as it was. Between two `start-worker` there is always an end of the first one.
 */
export function step(state: State, event: Event, inputs: Inputs, policy: Policy): Step {
  switch (state.phase) {
    case 'idle':
      return whileIdle(state, event, inputs, policy);
    case 'starting':
      return whileStarting(state, event, inputs, policy);
    case 'running':
      return whileRunning(state, event, inputs, policy);
    case 'backing-off':
      return whileBackingOff(state, event, inputs, policy);
    case 'stopping':
      return whileStopping(state, event, inputs, policy);
    case 'suspended':
      return whileSuspended(state, event, inputs, policy);
    case 'stopped':
      return stay(state);
    default:
      return assertNever(state);
  }
}

function whileIdle(state: Idle, event: Event, inputs: Inputs, policy: Policy): Step {
  switch (event.kind) {
    case 'start':
      return startWorker(NO_CRASHES, inputs, policy);
    case 'resume':
      return startWorker({ ...NO_CRASHES, trial: event.trial }, inputs, policy);
    case 'suspend':
      return suspend(NO_CRASHES);
    case 'stop-requested':
      return leave(EXIT.ok);
    case 'worker-spawned':
    case 'spawn-failed':
    case 'worker-ready':
    case 'worker-starting':
    case 'worker-exited':
    case 'timer-fired':
    case 'reload-requested':
    case 'end-trial':
      return stay(state);
    default:
      return assertNever(event);
  }
}

function whileStarting(state: Starting, event: Event, inputs: Inputs, policy: Policy): Step {
  switch (event.kind) {
    case 'worker-spawned':
      return beBorn(state, event.pid);
    case 'spawn-failed':
      if (state.tally.trial) {
        const { reason } = event;
        return failTrial(state.tally, { how: 'not-started', code: null, signal: null, reason });
      }
      return backOff(
        judgeCrash(state.tally, inputs.random, policy),
        [
          { kind: 'clear-timer', timer: 'start-deadline' },
          report('error', 'worker could not be started', { reason: event.reason }),
        ],
        inputs,
      );
    case 'worker-ready':
      return state.timedOut ? stay(state) : becomeReady(state, inputs, event.readiness);
    case 'worker-starting':
      return putOff(state, inputs, policy);
    case 'worker-exited':
      return bury(event, state, inputs, policy);
    case 'timer-fired':
      if (event.timer !== 'start-deadline' || state.timedOut) return stay(state);
      if (inputs.nowMs < state.deadlineMs) return waitOn(state, event.timer, inputs);
      if (policy.readyAfterAliveMs !== undefined) return becomeReady(state, inputs);
      return {
        state: { ...state, timedOut: true },
        effects: [
          { kind: 'kill-worker' },
          report('error', 'worker killed: it did not become ready in time', {
            workerPid: state.pid,
          }),
        ],
      };
    case 'stop-requested':
      return stopWorker(state, 'shutdown', event.signal, inputs, policy);
    case 'reload-requested':
      return state.tally.trial
        ? stay(state)
        : stopWorker(state, 'reload', 'SIGTERM', inputs, policy);
    case 'suspend':
      return stopWorker(state, 'suspend', 'SIGTERM', inputs, policy);
    case 'end-trial':
      return { state: { ...state, tally: { ...state.tally, trial: false } }, effects: [] };
    case 'start':
    case 'resume':
      return stay(state);
    default:
      return assertNever(event);
  }
}

function whileRunning(state: Running, event: Event, inputs: Inputs, policy: Policy): Step {
  const tally = settleTally(state.tally, state.readyAtMs, inputs.nowMs, policy);
  switch (event.kind) {
    case 'worker-exited':
      return bury(event, { tally }, inputs, policy);
    case 'stop-requested':
      return stopWorker({ ...state, tally }, 'shutdown', event.signal, inputs, policy);
    case 'reload-requested':
      return tally.trial
        ? stay(state)
        : stopWorker({ ...state, tally }, 'reload', 'SIGTERM', inputs, policy);
    case 'suspend':
      return stopWorker({ ...state, tally }, 'suspend', 'SIGTERM', inputs, policy);
    case 'end-trial':
      return { state: { ...state, tally: { ...state.tally, trial: false } }, effects: [] };
    case 'start':
    case 'resume':
    case 'worker-spawned':
    case 'spawn-failed':
    case 'worker-ready':
    case 'worker-starting':
    case 'timer-fired':
      return stay(state);
    default:
      return assertNever(event);
  }
}

function whileBackingOff(state: BackingOff, event: Event, inputs: Inputs, policy: Policy): Step {
  switch (event.kind) {
    case 'timer-fired':
      if (event.timer !== 'backoff') return stay(state);
      if (inputs.nowMs < state.untilMs) return waitOn(state, event.timer, inputs);
      return startWorker(state.tally, inputs, policy);
    case 'reload-requested':
      return startWorker(state.tally, inputs, policy, [{ kind: 'clear-timer', timer: 'backoff' }]);
    case 'stop-requested':
      return leave(EXIT.ok, [{ kind: 'clear-timer', timer: 'backoff' }]);
    case 'suspend':
      return suspend(state.tally, [{ kind: 'clear-timer', timer: 'backoff' }]);
    case 'start':
    case 'resume':
    case 'end-trial':
    case 'worker-spawned':
    case 'spawn-failed':
    case 'worker-ready':
    case 'worker-starting':
    case 'worker-exited':
      return stay(state);
    default:
      return assertNever(event);
  }
}

function whileStopping(state: Stopping, event: Event, inputs: Inputs, policy: Policy): Step {
  switch (event.kind) {
    case 'worker-spawned':
      return {
        state: { ...state, pid: event.pid },
        effects: [
          state.killed ? { kind: 'kill-worker' } : { kind: 'signal-worker', signal: state.signal },
        ],
      };
    case 'spawn-failed':
      return endStop(state, { reason: event.reason }, inputs, policy);
    case 'worker-exited':
      return endStop(state, { code: event.code, signal: event.signal }, inputs, policy);
    case 'timer-fired':
      if (event.timer !== 'stop-deadline' || state.killed) return stay(state);
      if (inputs.nowMs < state.deadlineMs) return waitOn(state, event.timer, inputs);
      return killStopping(state, 'worker killed: it did not stop in time');
    case 'stop-requested':
      if (state.cause === 'shutdown')
        return killStopping(state, 'worker killed: asked to stop twice');
      // The worker is stopping already: a second signal would tell many programs to drop what they hold.
      return {
        state: {
          ...state,
          cause: 'shutdown',
          signal: event.signal,
          deadlineMs: inputs.nowMs + policy.stopTimeoutMs,
        },
        effects: [
          { kind: 'set-timer', timer: 'stop-deadline', afterMs: policy.stopTimeoutMs },
          report('info', 'stopping for good', { signal: event.signal }),
        ],
      };
    case 'suspend':
      return state.cause === 'reload'
        ? { state: { ...state, cause: 'suspend' }, effects: [] }
        : stay(state);
    case 'resume':
      // Wanted again before it is gone: it is replaced, by what was asked for last.
      return state.cause === 'suspend' || state.cause === 'reload'
        ? {
            state: { ...state, cause: 'reload', tally: { ...state.tally, trial: event.trial } },
            effects: [],
          }
        : stay(state);
    case 'start':
    case 'end-trial':
    case 'worker-ready':
    case 'worker-starting':
    case 'reload-requested':
      return stay(state);
    default:
      return assertNever(event);
  }
}

function whileSuspended(state: Suspended, event: Event, inputs: Inputs, policy: Policy): Step {
  const { tally } = state;
  switch (event.kind) {
    case 'resume':
      return startWorker({ ...tally, trial: event.trial }, inputs, policy);
    case 'suspend':
      return suspend(tally);
    case 'reload-requested':
      // Not while an update is at work: it knows when there may be a worker again.
      return state.cause === 'config' ? startWorker(tally, inputs, policy) : stay(state);
    case 'stop-requested':
      return leave(EXIT.ok);
    case 'start':
    case 'end-trial':
    case 'worker-spawned':
    case 'spawn-failed':
    case 'worker-ready':
    case 'worker-starting':
    case 'worker-exited':
    case 'timer-fired':
      return stay(state);
    default:
      return assertNever(event);
  }
}
