import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { Effect, Report } from './effect.ts';
import type { Readiness, StopSignal, WorkerExit, WorkerSignal, WorkerTimer } from './event.ts';
import { judgeExit, type Policy } from './restart-policy.ts';
import type { BackingOff, Running, Starting, State, Stopping, Tally } from './state.ts';

/** What a step may know besides state and event: a monotonic instant and a random number in [0, 1). */
export type Inputs = { readonly nowMs: number; readonly random: number };

/** The state that follows and what is to be done, in order, once that state is in force. */
export type Step = { readonly state: State; readonly effects: readonly Effect[] };

/** Starts a worker and waits for its readiness; `before` is done first. */
export function startWorker(
  tally: Tally,
  inputs: Inputs,
  policy: Policy,
  before: readonly Effect[] = [],
): Step {
  const limitMs = tally.trial ? policy.trialStartTimeoutMs : policy.startTimeoutMs;
  const withinMs = policy.readyAfterAliveMs ?? limitMs;
  return {
    state: {
      phase: 'starting',
      pid: null,
      deadlineMs: inputs.nowMs + withinMs,
      latestMs: inputs.nowMs + Math.max(withinMs, policy.startLimitMs),
      timedOut: false,
      tally,
    },
    effects: [
      ...before,
      setTimer('start-deadline', withinMs),
      { kind: 'start-worker', trial: tally.trial },
    ],
  };
}

/** The worker that was started has got its process id. */
export function beBorn(state: Starting, pid: number): Step {
  return {
    state: { ...state, pid },
    effects: [
      report('info', 'worker started', { workerPid: pid }),
      // There was nobody yet to be killed when its time was over.
      ...(state.timedOut ? [{ kind: 'kill-worker' } as const] : []),
    ],
  };
}

/** The worker serves: it said so, or it lives long enough to be taken for ready. */
export function becomeReady(state: Starting, inputs: Inputs, readiness?: Readiness): Step {
  // A notice without a worker cannot come from the one that is being started.
  if (state.pid === null) return stay(state);
  return {
    state: {
      phase: 'running',
      pid: state.pid,
      readyAtMs: inputs.nowMs,
      tally: { ...state.tally, everReady: true },
    },
    effects: [
      clearTimer('start-deadline'),
      report('info', 'worker ready', { workerPid: state.pid }),
      ...(readiness ? [signal({ kind: 'worker-up', readiness })] : []),
    ],
  };
}

/** It gets on: the deadline is put off, but not for ever. */
export function putOff(state: Starting, inputs: Inputs, policy: Policy): Step {
  const wantedMs = Math.min(inputs.nowMs + policy.startGraceMs, state.latestMs);
  if (state.timedOut || wantedMs <= state.deadlineMs) return stay(state);
  return {
    state: { ...state, deadlineMs: wantedMs },
    effects: [setTimer('start-deadline', wantedMs - inputs.nowMs)],
  };
}

/** The worker ended and nobody had asked it to. */
export function bury(
  exit: WorkerExit,
  state: { readonly tally: Tally; readonly timedOut?: boolean },
  inputs: Inputs,
  policy: Policy,
): Step {
  const { tally } = state;
  const fields = { code: exit.code, signal: exit.signal };
  if (tally.trial) {
    return failTrial(tally, {
      how: state.timedOut ? 'timed-out' : 'exited',
      ...fields,
      reason: '',
    });
  }
  const verdict = judgeExit(exit, tally, inputs, policy);
  const cleared = clearTimer('start-deadline');
  if (verdict.kind === 'restart-now') {
    return startWorker(verdict.tally, inputs, policy, [
      cleared,
      report('info', 'worker asked to be restarted', fields),
    ]);
  }
  if (verdict.kind === 'hold') {
    return {
      state: { phase: 'suspended', cause: 'config', tally },
      effects: [
        cleared,
        report('error', 'worker refuses its configuration; mend it and send SIGHUP', fields),
      ],
    };
  }
  if (verdict.kind === 'give-up') {
    return leave(EXIT.configInvalid, [
      cleared,
      report('error', 'worker refuses its configuration; restarting would not help', fields),
    ]);
  }
  return backOff(verdict, [cleared, report('error', 'worker ended unasked', fields)], inputs);
}

/** A worker on trial is gone, and the update has to decide what follows. */
export function failTrial(
  tally: Tally,
  end: Omit<WorkerSignal & { kind: 'worker-failed' }, 'kind'>,
): Step {
  return {
    state: { phase: 'suspended', cause: 'update', tally },
    effects: [
      clearTimer('start-deadline'),
      report('error', 'worker on trial ended', {
        how: end.how,
        code: end.code,
        signal: end.signal,
        reason: end.reason,
      }),
      signal({ kind: 'worker-failed', ...end }),
    ],
  };
}

/** Waits before the next start. */
export function backOff(
  wait: { readonly delayMs: number; readonly tally: Tally },
  before: readonly Effect[],
  inputs: Inputs,
): Step {
  const { delayMs, tally } = wait;
  return {
    state: { phase: 'backing-off', untilMs: inputs.nowMs + delayMs, tally },
    effects: [
      ...before,
      setTimer('backoff', delayMs),
      report('warn', 'waiting before the next start', { delayMs, crashes: tally.crashes }),
    ],
  };
}

const STOP_WORDS = {
  shutdown: 'stopping',
  reload: 'reloading',
  suspend: 'stopping the worker for an update',
} as const;

/** Tells the worker to stop, once it is there to be told. */
export function stopWorker(
  state: Starting | Running,
  cause: Stopping['cause'],
  signal: StopSignal,
  inputs: Inputs,
  policy: Policy,
): Step {
  const { pid, tally } = state;
  const deadlineMs = inputs.nowMs + policy.stopTimeoutMs;
  const told: readonly Effect[] = pid === null ? [] : [{ kind: 'signal-worker', signal }];
  return {
    state: { phase: 'stopping', cause, pid, signal, deadlineMs, killed: false, tally },
    effects: [
      clearTimer('start-deadline'),
      ...told,
      setTimer('stop-deadline', policy.stopTimeoutMs),
      report('info', STOP_WORDS[cause], { signal, workerPid: pid }),
    ],
  };
}

/** The worker was asked politely and must now go. */
export function killStopping(state: Stopping, what: string): Step {
  return {
    state: { ...state, killed: true },
    effects: [{ kind: 'kill-worker' }, report('warn', what, { workerPid: state.pid })],
  };
}

/** The worker that was told to stop is gone; how it ended does not matter any more. */
export function endStop(
  state: Stopping,
  how: Report['fields'],
  inputs: Inputs,
  policy: Policy,
): Step {
  const before = [clearTimer('stop-deadline'), report('info', 'worker stopped', how)];
  if (state.cause === 'reload') return startWorker(state.tally, inputs, policy, before);
  if (state.cause === 'suspend') return suspend(state.tally, before);
  return leave(state.killed ? EXIT.stopForced : EXIT.ok, before);
}

/** There is no worker, and the update is told so. */
export function suspend(tally: Tally, before: readonly Effect[] = []): Step {
  return {
    state: { phase: 'suspended', cause: 'update', tally },
    effects: [...before, signal({ kind: 'worker-suspended' })],
  };
}

/** The supervisor ends; no worker is left. */
export function leave(code: ExitCode, before: readonly Effect[] = []): Step {
  return { state: { phase: 'stopped', code }, effects: [...before, { kind: 'exit', code }] };
}

/** Timers may fire a little early: the deadline in the state decides, and the timer is set for the rest. */
export function waitOn(
  state: Starting | BackingOff | Stopping,
  timer: WorkerTimer,
  inputs: Inputs,
): Step {
  const untilMs = state.phase === 'backing-off' ? state.untilMs : state.deadlineMs;
  return { state, effects: [setTimer(timer, Math.ceil(untilMs - inputs.nowMs))] };
}

/** Nothing follows: the event means nothing in this state. */
export function stay(state: State): Step {
  return { state, effects: [] };
}

function setTimer(timer: WorkerTimer, afterMs: number): Effect {
  return { kind: 'set-timer', timer, afterMs };
}

function signal(of: WorkerSignal): Effect {
  return { kind: 'signal', signal: of };
}

function clearTimer(timer: WorkerTimer): Effect {
  return { kind: 'clear-timer', timer };
}

/** A line for the log. */
export function report(level: Report['level'], what: string, fields: Report['fields']): Report {
  return { kind: 'report', level, what, fields };
}

/**
 * Marks what the types say cannot be.
 * @throws Error always: reaching it is a bug.
 */
export function assertNever(value: never): never {
  throw new Error(`Undecided: ${JSON.stringify(value)}`);
}
