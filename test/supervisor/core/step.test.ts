import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Event } from '../../../supervisor/core/event.ts';
import type { Policy } from '../../../supervisor/core/restart-policy.ts';
import type { State } from '../../../supervisor/core/state.ts';
import { step } from '../../../supervisor/core/step.ts';
import {
  CLEAR,
  endTrial,
  exited,
  FRESH,
  fired,
  getsOn,
  healthy,
  idle,
  inShort,
  int,
  killed,
  MINUTE_MS,
  NOW,
  pausing,
  type Row,
  ready,
  reload,
  reloading,
  resume,
  running,
  SPENT,
  START,
  STOP,
  spawned,
  spawnFailed,
  start,
  starting,
  stopped,
  stopping,
  suspend,
  suspended,
  TIRED,
  term,
  UNPROVEN,
  unborn,
  waiting,
} from './samples.ts';
import { POLICY } from './walks.ts';

const ROWS: readonly Row[] = [
  ['the first worker is started', idle, start, 'starting', START],
  ['a stop before the start ends at once', idle, term, 'stopped', ['exit:0']],
  ['a worker gets its pid', unborn, spawned, 'starting', []],
  ['a failed spawn is a crash', unborn, spawnFailed, 'backing-off', [CLEAR, '+backoff:4000']],
  ['a ready worker runs', starting, ready, 'running', [CLEAR, 'tells worker-up']],
  [
    'a worker that does not become ready is killed',
    starting,
    fired('start-deadline'),
    'starting',
    ['kill-worker'],
  ],
  ['a killed start is a crash', starting, killed, 'backing-off', [CLEAR, '+backoff:4000']],
  ['a stop while starting tells the worker', starting, term, 'stopping', STOP],
  [
    'a stop before the pid is known tells nobody yet',
    unborn,
    int,
    'stopping',
    [CLEAR, '+stop-deadline:30000'],
  ],
  ['a reload while starting replaces the worker', starting, reload, 'stopping', STOP],
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
  [
    '78 ends the supervisor where no worker was ever ready',
    { ...starting, tally: UNPROVEN },
    exited(78),
    'stopped',
    [CLEAR, 'exit:78'],
  ],
  ['78 later on waits for a person', running, exited(78), 'suspended', [CLEAR]],
  [
    '10 with its own request restarts at once',
    running,
    exited(10, true),
    'starting',
    [CLEAR, ...START],
  ],
  [
    'a fourth 10 within a minute is a crash',
    { ...running, tally: SPENT },
    exited(10, true),
    'backing-off',
    [CLEAR, '+backoff:4000'],
  ],
  ['SIGTERM is passed on', running, term, 'stopping', STOP],
  ['SIGINT is passed on', running, int, 'stopping', [CLEAR, 'SIGINT', '+stop-deadline:30000']],
  ['a reload stops the worker politely', running, reload, 'stopping', STOP],
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
  [idle, [spawned, spawnFailed, ready, getsOn, exited(1), fired('backoff'), reload, endTrial]],
  [unborn, [ready]],
  [starting, [start, resume, fired('backoff'), fired('stop-deadline')]],
  [{ ...starting, timedOut: true }, [ready, getsOn, fired('start-deadline')]],
  [running, [start, resume, spawned, spawnFailed, ready, getsOn, fired('start-deadline')]],
  [
    waiting,
    [
      start,
      resume,
      endTrial,
      spawned,
      spawnFailed,
      ready,
      getsOn,
      exited(75),
      fired('start-deadline'),
    ],
  ],
  [stopping, [start, suspend, resume, endTrial, ready, getsOn, reload, fired('backoff')]],
  [reloading, [resume]],
  [pausing, [suspend]],
  [{ ...stopping, killed: true }, [fired('stop-deadline')]],
  [
    suspended,
    [start, endTrial, spawned, spawnFailed, ready, getsOn, exited(1), fired('backoff'), reload],
  ],
  [
    stopped,
    [
      start,
      spawned,
      spawnFailed,
      ready,
      exited(1),
      fired('backoff'),
      term,
      reload,
      suspend,
      resume,
    ],
  ],
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
    // Nobody knows what it is, so the update is told nothing of it.
    assert.deepEqual(next.effects.flatMap(inShort), [CLEAR]);
  });

  test('restarts at once are counted per minute', () => {
    const old = { ...FRESH, freeRestartsAtMs: [NOW.nowMs - MINUTE_MS, NOW.nowMs - 5] };
    const next = step({ ...running, tally: old }, exited(75), NOW, POLICY);
    assert.ok(next.state.phase === 'starting');
    assert.deepEqual(next.state.tally.freeRestartsAtMs, [NOW.nowMs - 5, NOW.nowMs]);
  });

  test('what the types forbid is a bug and throws', () => {
    const alien = { kind: 'alien' } as unknown as Event;
    for (const state of [idle, starting, running, waiting, stopping, suspended]) {
      assert.throws(() => step(state, alien, NOW, POLICY), /Undecided: {"kind":"alien"}/);
    }
    const limbo = { phase: 'limbo' } as unknown as State;
    assert.throws(() => step(limbo, start, NOW, POLICY), /Undecided/);
  });
});
