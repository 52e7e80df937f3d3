import { EXIT, type ExitCode } from '../../shared/contract/exit-codes.ts';
import type { Effect, Report } from './effect.ts';
import type { StopSignal, Timer, WorkerExit } from './event.ts';
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
  const withinMs = policy.readyAfterAliveMs ?? policy.startTimeoutMs;
  return {
    state: { phase: 'starting', pid: null, deadlineMs: inputs.nowMs + withinMs, tally },
    effects: [...before, setTimer('start-deadline', withinMs), { kind: 'start-worker' }],
  };
}

/** The worker serves: it said so, or it lives long enough to be taken for ready. */
export function becomeReady(state: Starting, inputs: Inputs): Step {
  // A notice without a worker cannot come from the one that is being started.
  if (state.pid === null) return stay(state);
  return {
    state: {
      phase: 'running',
      pid: state.pid,
      readyAtMs: inputs.nowMs,
      tally: state.tally,
    },
    effects: [
      clearTimer('start-deadline'),
      report('info', 'worker ready', { workerPid: state.pid }),
    ],
  };
}

/** The worker ended and nobody had asked it to. */
export function bury(exit: WorkerExit, tally: Tally, inputs: Inputs, policy: Policy): Step {
  const fields = { code: exit.code, signal: exit.signal };
  const verdict = judgeExit(exit, tally, inputs, policy);
  const cleared = clearTimer('start-deadline');
  if (verdict.kind === 'restart-now') {
    return startWorker(verdict.tally, inputs, policy, [
      cleared,
      report('info', 'worker asked to be restarted', fields),
    ]);
  }
  if (verdict.kind === 'give-up') {
    return leave(EXIT.configInvalid, [
      cleared,
      report('error', 'worker refuses its configuration; restarting would not help', fields),
    ]);
  }
  return backOff(verdict, [cleared, report('error', 'worker ended unasked', fields)], inputs);
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
      report('info', cause === 'reload' ? 'reloading' : 'stopping', { signal, workerPid: pid }),
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
  return leave(state.killed ? EXIT.stopForced : EXIT.ok, before);
}

/** The supervisor ends; no worker is left. */
export function leave(code: ExitCode, before: readonly Effect[] = []): Step {
  return { state: { phase: 'stopped', code }, effects: [...before, { kind: 'exit', code }] };
}

/** Timers may fire a little early: the deadline in the state decides, and the timer is set for the rest. */
export function waitOn(
  state: Starting | BackingOff | Stopping,
  timer: Timer,
  inputs: Inputs,
): Step {
  const untilMs = state.phase === 'backing-off' ? state.untilMs : state.deadlineMs;
  return { state, effects: [setTimer(timer, Math.ceil(untilMs - inputs.nowMs))] };
}

/** Nothing follows: the event means nothing in this state. */
export function stay(state: State): Step {
  return { state, effects: [] };
}

function setTimer(timer: Timer, afterMs: number): Effect {
  return { kind: 'set-timer', timer, afterMs };
}

function clearTimer(timer: Timer): Effect {
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
