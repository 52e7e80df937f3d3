import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Effect } from '../../../supervisor/core/effect.ts';
import type { Event } from '../../../supervisor/core/event.ts';
import type { Policy } from '../../../supervisor/core/restart-policy.ts';
import type { State, Tally } from '../../../supervisor/core/state.ts';
import { step } from '../../../supervisor/core/step.ts';
import { POLICY } from './walks.ts';

const NOW = { nowMs: 1_000_000, random: 0.5 };
const MINUTE_MS = 60_000;
const FRESH: Tally = { crashes: 0, freeRestartsAtMs: [] };
const TIRED: Tally = { crashes: 3, freeRestartsAtMs: [] };
const SPENT: Tally = {
  crashes: 3,
  freeRestartsAtMs: [NOW.nowMs - 3, NOW.nowMs - 2, NOW.nowMs - 1],
};

const idle: State = { phase: 'idle' };
const unborn: State = { phase: 'starting', pid: null, deadlineMs: NOW.nowMs, tally: TIRED };
const starting: State = { ...unborn, pid: 7 };
const running: State = { phase: 'running', pid: 7, readyAtMs: NOW.nowMs - MINUTE_MS, tally: TIRED };
const healthy: State = { ...running, readyAtMs: NOW.nowMs - 10 * MINUTE_MS };
const waiting: State = { phase: 'backing-off', untilMs: NOW.nowMs, tally: TIRED };
const stopping: State = {
  phase: 'stopping',
  cause: 'shutdown',
  pid: 7,
  signal: 'SIGINT',
  deadlineMs: NOW.nowMs,
  killed: false,
  tally: TIRED,
};
const reloading: State = { ...stopping, cause: 'reload', signal: 'SIGTERM' };
const stopped: State = { phase: 'stopped', code: 0 };

const start: Event = { kind: 'start' };
const spawned: Event = { kind: 'worker-spawned', pid: 8 };
const spawnFailed: Event = { kind: 'spawn-failed', reason: 'ENOENT' };
const ready: Event = { kind: 'worker-ready' };
const term: Event = { kind: 'stop-requested', signal: 'SIGTERM' };
const int: Event = { kind: 'stop-requested', signal: 'SIGINT' };
const reload: Event = { kind: 'reload-requested' };
const killed: Event = { kind: 'worker-exited', code: null, signal: 'SIGKILL' };
const exited = (code: number): Event => ({ kind: 'worker-exited', code, signal: null });
const fired = (timer: 'start-deadline' | 'backoff' | 'stop-deadline'): Event => ({
  kind: 'timer-fired',
  timer,
});

/** Title, state, event, phase that follows, effects in short (reports left out). */
type Row = readonly [string, State, Event, State['phase'], readonly string[]];

const CLEAR = '-start-deadline';
const START = ['+start-deadline:300000', 'start-worker'];

const ROWS: readonly Row[] = [
  ['the first worker is started', idle, start, 'starting', START],
  ['a stop before the start ends at once', idle, term, 'stopped', ['exit:0']],
  ['a worker gets its pid', unborn, spawned, 'starting', []],
  ['a failed spawn is a crash', unborn, spawnFailed, 'backing-off', [CLEAR, '+backoff:4000']],
  ['a ready worker runs', starting, ready, 'running', [CLEAR]],
  [
    'a worker that does not become ready is killed',
    starting,
    fired('start-deadline'),
    'starting',
    ['kill-worker'],
  ],
  ['a killed start is a crash', starting, killed, 'backing-off', [CLEAR, '+backoff:4000']],
  [
    'a stop while starting tells the worker',
    starting,
    term,
    'stopping',
    [CLEAR, 'SIGTERM', '+stop-deadline:30000'],
  ],
  [
    'a stop before the pid is known tells nobody yet',
    unborn,
    int,
    'stopping',
    [CLEAR, '+stop-deadline:30000'],
  ],
  [
    'a reload while starting replaces the worker',
    starting,
    reload,
    'stopping',
    [CLEAR, 'SIGTERM', '+stop-deadline:30000'],
  ],
  [
    'an unasked 0 restarts after a wait',
    running,
    exited(0),
    'backing-off',
    [CLEAR, '+backoff:4000'],
  ],
  ['10 without a request is a crash', running, exited(10), 'backing-off', [CLEAR, '+backoff:4000']],
  ['a signal is a crash', running, killed, 'backing-off', [CLEAR, '+backoff:4000']],
  [
    'ten healthy minutes forgive earlier crashes',
    healthy,
    exited(1),
    'backing-off',
    [CLEAR, '+backoff:500'],
  ],
  ['75 restarts at once', running, exited(75), 'starting', [CLEAR, ...START]],
  [
    'a fourth 75 within a minute is a crash',
    { ...running, tally: SPENT },
    exited(75),
    'backing-off',
    [CLEAR, '+backoff:4000'],
  ],
  ['78 ends the supervisor', running, exited(78), 'stopped', [CLEAR, 'exit:78']],
  ['SIGTERM is passed on', running, term, 'stopping', [CLEAR, 'SIGTERM', '+stop-deadline:30000']],
  ['SIGINT is passed on', running, int, 'stopping', [CLEAR, 'SIGINT', '+stop-deadline:30000']],
  [
    'a reload stops the worker politely',
    running,
    reload,
    'stopping',
    [CLEAR, 'SIGTERM', '+stop-deadline:30000'],
  ],
  ['the wait is over', waiting, fired('backoff'), 'starting', START],
  [
    'a wait that is woken early goes on',
    { ...waiting, untilMs: NOW.nowMs + 0.5 },
    fired('backoff'),
    'backing-off',
    ['+backoff:1'],
  ],
  [
    'a start deadline that fires early goes on',
    { ...starting, deadlineMs: NOW.nowMs + 9 },
    fired('start-deadline'),
    'starting',
    ['+start-deadline:9'],
  ],
  [
    'a stop deadline that fires early goes on',
    { ...stopping, deadlineMs: NOW.nowMs + 9 },
    fired('stop-deadline'),
    'stopping',
    ['+stop-deadline:9'],
  ],
  ['a reload ends the wait', waiting, reload, 'starting', ['-backoff', ...START]],
  ['a stop ends the wait', waiting, int, 'stopped', ['-backoff', 'exit:0']],
  [
    'a worker that gets its pid while stopping is told now',
    { ...stopping, pid: null },
    spawned,
    'stopping',
    ['SIGINT'],
  ],
  [
    'a worker that gets its pid too late is killed',
    { ...stopping, pid: null, killed: true },
    spawned,
    'stopping',
    ['kill-worker'],
  ],
  [
    'a worker that stops makes 0, whatever its own code',
    stopping,
    exited(78),
    'stopped',
    ['-stop-deadline', 'exit:0'],
  ],
  [
    'a worker that had to be killed makes 70',
    { ...stopping, killed: true },
    killed,
    'stopped',
    ['-stop-deadline', 'exit:70'],
  ],
  [
    'a spawn that fails while stopping makes 0',
    { ...stopping, pid: null },
    spawnFailed,
    'stopped',
    ['-stop-deadline', 'exit:0'],
  ],
  ['the stop deadline kills', stopping, fired('stop-deadline'), 'stopping', ['kill-worker']],
  ['a second signal kills', stopping, term, 'stopping', ['kill-worker']],
  [
    'a reloaded worker gets a successor at once',
    reloading,
    exited(1),
    'starting',
    ['-stop-deadline', ...START],
  ],
  ['a reload deadline kills', reloading, fired('stop-deadline'), 'stopping', ['kill-worker']],
  [
    'a stop during a reload wins without a second signal',
    reloading,
    int,
    'stopping',
    ['+stop-deadline:30000'],
  ],
];

/** What means nothing: the state stays the very same, and nothing is done. */
const IGNORED: readonly (readonly [State, readonly Event[]])[] = [
  [idle, [spawned, spawnFailed, ready, exited(1), fired('backoff'), reload]],
  [unborn, [ready]],
  [starting, [start, fired('backoff'), fired('stop-deadline')]],
  [running, [start, spawned, spawnFailed, ready, fired('start-deadline')]],
  [waiting, [start, spawned, spawnFailed, ready, exited(75), fired('start-deadline')]],
  [stopping, [start, ready, reload, fired('backoff')]],
  [{ ...stopping, killed: true }, [fired('stop-deadline')]],
  [stopped, [start, spawned, spawnFailed, ready, exited(1), fired('backoff'), term, reload]],
];

describe('step', () => {
  for (const [title, state, event, phase, effects] of ROWS) {
    test(title, () => {
      const next = step(state, event, NOW, POLICY);
      assert.equal(next.state.phase, phase);
      assert.deepEqual(next.effects.flatMap(inShort), effects);
    });
  }

  for (const [state, events] of IGNORED) {
    test(`${JSON.stringify(state)} ignores ${events.map((event) => event.kind).join(', ')}`, () => {
      for (const event of events) {
        assert.deepEqual(step(state, event, NOW, POLICY), { state, effects: [] });
      }
    });
  }

  test('a stop that wins over a reload ends the supervisor and not the worker alone', () => {
    const next = step(reloading, int, NOW, POLICY);
    const end = step(next.state, exited(0), NOW, POLICY);
    assert.deepEqual(end.state, { phase: 'stopped', code: 0 });
  });

  test('what had to be killed is remembered until it is gone', () => {
    for (const event of [fired('stop-deadline'), term]) {
      const next = step(stopping, event, NOW, POLICY);
      assert.deepEqual(step(next.state, killed, NOW, POLICY).state, { phase: 'stopped', code: 70 });
    }
  });

  test('a command that never says that it is ready counts as ready once it has lived long enough', () => {
    const foreign: Policy = { ...POLICY, readyAfterAliveMs: 1_000 };
    assert.deepEqual(step(idle, start, NOW, foreign).effects.flatMap(inShort), [
      '+start-deadline:1000',
      'start-worker',
    ]);
    const next = step(starting, fired('start-deadline'), NOW, foreign);
    assert.deepEqual(next.state, { phase: 'running', pid: 7, readyAtMs: NOW.nowMs, tally: TIRED });
  });

  test('restarts at once are counted per minute', () => {
    const old = { ...FRESH, freeRestartsAtMs: [NOW.nowMs - MINUTE_MS, NOW.nowMs - 5] };
    const next = step({ ...running, tally: old }, exited(75), NOW, POLICY);
    assert.ok(next.state.phase === 'starting');
    assert.deepEqual(next.state.tally.freeRestartsAtMs, [NOW.nowMs - 5, NOW.nowMs]);
  });

  test('what the types forbid is a bug and throws', () => {
    const alien = { kind: 'alien' } as unknown as Event;
    for (const state of [idle, starting, running, waiting, stopping]) {
      assert.throws(() => step(state, alien, NOW, POLICY), /Undecided: {"kind":"alien"}/);
    }
    const limbo = { phase: 'limbo' } as unknown as State;
    assert.throws(() => step(limbo, start, NOW, POLICY), /Undecided/);
  });
});

function inShort(effect: Effect): readonly string[] {
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
    case 'kill-worker':
      return [effect.kind];
  }
}
