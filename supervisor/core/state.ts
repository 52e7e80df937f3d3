import type { ExitCode } from '../../shared/contract/exit-codes.ts';
import type { StopSignal } from './event.ts';

/** What is handed from one worker to the next: how they died lately, and whether this one is on trial. */
export type Tally = {
  /** Crashes in a row, without a worker in between that stayed ready for `healthyAfterMs`. */
  readonly crashes: number;
  /** When workers were restarted at once at their own wish, oldest first; at most `freeRestartsMax` instants. */
  readonly freeRestartsAtMs: readonly number[];
  /** Whether any worker was ready so far: a configuration that was refused from the first is not cured by waiting. */
  readonly everReady: boolean;
  /** A worker on trial is not restarted: the update decides what its death means. */
  readonly trial: boolean;
};

/** Nothing was started yet; the listening socket is held. */
export type Idle = { readonly phase: 'idle' };

/** A worker was started and has not said that it is ready. */
export type Starting = {
  readonly phase: 'starting';
  /** Null until the kernel has given it one. */
  readonly pid: number | null;
  /** When waiting for readiness ends. */
  readonly deadlineMs: number;
  /** However often it says that it gets on, waiting ends here. */
  readonly latestMs: number;
  /** It was killed for not becoming ready. */
  readonly timedOut: boolean;
  readonly tally: Tally;
};

/** The worker serves. */
export type Running = {
  readonly phase: 'running';
  readonly pid: number;
  readonly readyAtMs: number;
  readonly tally: Tally;
};

/** No worker: the last one crashed, and the next is started when the wait is over. */
export type BackingOff = {
  readonly phase: 'backing-off';
  readonly untilMs: number;
  readonly tally: Tally;
};

/** The worker was told to stop; `cause` says what follows its end. */
export type Stopping = {
  readonly phase: 'stopping';
  readonly cause: 'shutdown' | 'reload' | 'suspend';
  readonly pid: number | null;
  /** What a worker that gets its process id only now is told. */
  readonly signal: StopSignal;
  /** When it is killed. */
  readonly deadlineMs: number;
  readonly killed: boolean;
  readonly tally: Tally;
};

/** No worker, on purpose: an update is at work, both versions are bad, or the configuration was refused. */
export type Suspended = {
  readonly phase: 'suspended';
  readonly cause: 'update' | 'config';
  readonly tally: Tally;
};

/** The end: no worker, and the supervisor leaves with `code`. */
export type Stopped = { readonly phase: 'stopped'; readonly code: ExitCode };

/**
 * Where the supervisor stands. Plain data, each state with its own counters and deadlines, so that it survives a
 * round trip through JSON. Instants are milliseconds of a monotonic clock.
 */
export type State = Idle | Starting | Running | BackingOff | Stopping | Suspended | Stopped;

/** Where every supervisor begins. */
export const INITIAL_STATE: State = { phase: 'idle' };
