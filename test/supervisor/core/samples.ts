import type { Effect } from '../../../supervisor/core/effect.ts';
import type { Event } from '../../../supervisor/core/event.ts';
import { FIXED_POLICY } from '../../../supervisor/core/restart-policy.ts';
import type {
  BackingOff,
  Idle,
  Running,
  Starting,
  State,
  Stopped,
  Stopping,
  Suspended,
  Tally,
} from '../../../supervisor/core/state.ts';

export const NOW = { nowMs: 1_000_000, random: 0.5 };
export const MINUTE_MS = 60_000;
export const FRESH: Tally = { crashes: 0, freeRestartsAtMs: [], everReady: true, trial: false };
export const TIRED: Tally = { ...FRESH, crashes: 3 };
export const UNPROVEN: Tally = { ...FRESH, everReady: false };
export const ON_TRIAL: Tally = { ...TIRED, trial: true };
export const SPENT: Tally = {
  ...TIRED,
  freeRestartsAtMs: [NOW.nowMs - 3, NOW.nowMs - 2, NOW.nowMs - 1],
};

export const idle: Idle = { phase: 'idle' };
export const unborn: Starting = {
  phase: 'starting',
  pid: null,
  deadlineMs: NOW.nowMs,
  latestMs: NOW.nowMs + FIXED_POLICY.startLimitMs,
  timedOut: false,
  tally: TIRED,
};
export const starting: Starting = { ...unborn, pid: 7 };
export const running: Running = {
  phase: 'running',
  pid: 7,
  readyAtMs: NOW.nowMs - MINUTE_MS,
  tally: TIRED,
};
export const healthy: Running = { ...running, readyAtMs: NOW.nowMs - 10 * MINUTE_MS };
export const tried: Starting = { ...starting, tally: ON_TRIAL };
export const onTrial: Running = { ...running, tally: ON_TRIAL };
export const waiting: BackingOff = { phase: 'backing-off', untilMs: NOW.nowMs, tally: TIRED };
export const stopping: Stopping = {
  phase: 'stopping',
  cause: 'shutdown',
  pid: 7,
  signal: 'SIGINT',
  deadlineMs: NOW.nowMs,
  killed: false,
  tally: TIRED,
};
export const reloading: Stopping = { ...stopping, cause: 'reload', signal: 'SIGTERM' };
export const pausing: Stopping = { ...stopping, cause: 'suspend', signal: 'SIGTERM' };
export const suspended: Suspended = { phase: 'suspended', cause: 'update', tally: TIRED };
export const refused: Suspended = { ...suspended, cause: 'config' };
export const stopped: Stopped = { phase: 'stopped', code: 0 };

export const start: Event = { kind: 'start' };
export const spawned: Event = { kind: 'worker-spawned', pid: 8 };
export const spawnFailed: Event = { kind: 'spawn-failed', reason: 'ENOENT' };
export const readiness = { version: '2.0.0', schema: 2, digest: null };
export const ready: Event = { kind: 'worker-ready', readiness };
export const getsOn: Event = { kind: 'worker-starting' };
export const term: Event = { kind: 'stop-requested', signal: 'SIGTERM' };
export const int: Event = { kind: 'stop-requested', signal: 'SIGINT' };
export const reload: Event = { kind: 'reload-requested' };
export const suspend: Event = { kind: 'suspend' };
export const resume: Event = { kind: 'resume', trial: false };
export const tryOut: Event = { kind: 'resume', trial: true };
export const endTrial: Event = { kind: 'end-trial' };
export const killed: Event = {
  kind: 'worker-exited',
  code: null,
  signal: 'SIGKILL',
  adopted: false,
};
export const exited = (code: number, adopted = false): Event => ({
  kind: 'worker-exited',
  code,
  signal: null,
  adopted,
});
export const fired = (timer: 'start-deadline' | 'backoff' | 'stop-deadline'): Event => ({
  kind: 'timer-fired',
  timer,
});

/** Title, state, event, phase that follows, effects in short (reports left out). */
export type Row = readonly [string, State, Event, State['phase'], readonly string[]];

export const CLEAR = '-start-deadline';
export const START = ['+start-deadline:300000', 'start-worker'];
export const STOP = [CLEAR, 'SIGTERM', '+stop-deadline:30000'];

/** An effect in a word; reports are left out. */
export function inShort(effect: Effect): readonly string[] {
  switch (effect.kind) {
    case 'set-timer':
      return [`+${effect.timer}:${effect.afterMs}`];
    case 'clear-timer':
      return [`-${effect.timer}`];
    case 'signal-worker':
      return [effect.signal];
    case 'exit':
      return [`exit:${effect.code}`];
    case 'report':
      return [];
    case 'start-worker':
      return [effect.trial ? 'start-worker on trial' : effect.kind];
    case 'signal':
      return [`tells ${effect.signal.kind}`];
    case 'kill-worker':
      return [effect.kind];
  }
}
