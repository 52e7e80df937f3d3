import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { step } from '../../../supervisor/core/step.ts';
import {
  CLEAR,
  endTrial,
  exited,
  fired,
  getsOn,
  healthy,
  idle,
  inShort,
  killed,
  NOW,
  ON_TRIAL,
  onTrial,
  pausing,
  type Row,
  readiness,
  ready,
  refused,
  reload,
  reloading,
  resume,
  running,
  START,
  STOP,
  spawned,
  spawnFailed,
  starting,
  stopping,
  suspend,
  suspended,
  TIRED,
  term,
  tried,
  tryOut,
  unborn,
  waiting,
} from './samples.ts';
import { POLICY } from './walks.ts';

const TRY = ['+start-deadline:60000', 'start-worker on trial'];

const ROWS: readonly Row[] = [
  ['the first worker may be one on trial', idle, tryOut, 'starting', TRY],
  ['an update that goes on starts an ordinary worker', idle, resume, 'starting', START],
  ['no worker is wanted before the first', idle, suspend, 'suspended', ['tells worker-suspended']],
  ['a worker that runs is stopped politely', running, suspend, 'stopping', STOP],
  ['so is one that starts', starting, suspend, 'stopping', STOP],
  ['so is one on trial', onTrial, suspend, 'stopping', STOP],
  ['one without a pid is told later', unborn, suspend, 'stopping', [CLEAR, '+stop-deadline:30000']],
  [
    'a wait ends where no worker is wanted',
    waiting,
    suspend,
    'suspended',
    ['-backoff', 'tells worker-suspended'],
  ],
  [
    'the update hears when the worker is gone, however it ended',
    pausing,
    exited(1),
    'suspended',
    ['-stop-deadline', 'tells worker-suspended'],
  ],
  [
    'one that is never born is gone too',
    { ...pausing, pid: null },
    spawnFailed,
    'suspended',
    ['-stop-deadline', 'tells worker-suspended'],
  ],
  [
    'one that does not stop is killed',
    pausing,
    fired('stop-deadline'),
    'stopping',
    ['kill-worker'],
  ],
  ['a stop wins over a suspension', pausing, term, 'stopping', ['+stop-deadline:30000']],
  ['a suspension wins over a reload', reloading, suspend, 'stopping', []],
  ['one that is wanted again is replaced once it is gone', pausing, resume, 'stopping', []],
  ['a stop without a worker ends at once', suspended, term, 'stopped', ['exit:0']],
  ['an ordinary worker is wanted again', suspended, resume, 'starting', START],
  ['a worker is to be tried', suspended, tryOut, 'starting', TRY],
  ['no worker is still no worker', suspended, suspend, 'suspended', ['tells worker-suspended']],
  ['a mended configuration is tried on a reload', refused, reload, 'starting', START],
  [
    'an update takes over from a refused one',
    refused,
    suspend,
    'suspended',
    ['tells worker-suspended'],
  ],
  ['a worker on trial that is ready runs', tried, ready, 'running', [CLEAR, 'tells worker-up']],
  [
    'a worker on trial that dies is not restarted',
    onTrial,
    killed,
    'suspended',
    [CLEAR, 'tells worker-failed'],
  ],
  ['nor one that asks for it', onTrial, exited(75), 'suspended', [CLEAR, 'tells worker-failed']],
  [
    'nor does its refusal of the configuration end the supervisor',
    { ...tried, tally: { ...ON_TRIAL, everReady: false } },
    exited(78),
    'suspended',
    [CLEAR, 'tells worker-failed'],
  ],
  [
    'one on trial that cannot be started is not started again',
    { ...unborn, tally: ON_TRIAL },
    spawnFailed,
    'suspended',
    [CLEAR, 'tells worker-failed'],
  ],
  [
    'one on trial that is not ready in time is killed',
    tried,
    fired('start-deadline'),
    'starting',
    ['kill-worker'],
  ],
  [
    'a worker that gets its pid after its time is killed',
    { ...unborn, timedOut: true },
    spawned,
    'starting',
    ['kill-worker'],
  ],
  ['the end of a trial leaves the worker alone', onTrial, endTrial, 'running', []],
  ['also while it starts', tried, endTrial, 'starting', []],
  [
    'a sign of life puts the deadline off',
    { ...starting, deadlineMs: NOW.nowMs + 10 },
    getsOn,
    'starting',
    ['+start-deadline:20000'],
  ],
  [
    'but not beyond the last one',
    { ...starting, deadlineMs: NOW.nowMs + 10, latestMs: NOW.nowMs + 11 },
    getsOn,
    'starting',
    ['+start-deadline:11'],
  ],
];

describe('a worker that an update wants, tries or does not want', () => {
  for (const [title, state, event, phase, effects] of ROWS) {
    test(title, () => {
      const next = step(state, event, NOW, POLICY);
      assert.equal(next.state.phase, phase);
      assert.deepEqual(next.effects.flatMap(inShort), effects);
    });
  }

  test('a reload does not touch a worker on trial', () => {
    for (const state of [tried, onTrial]) {
      assert.deepEqual(step(state, reload, NOW, POLICY), { state, effects: [] });
    }
  });

  test('a deadline that is later than what a sign of life would give stays', () => {
    const state = { ...starting, deadlineMs: NOW.nowMs + POLICY.startGraceMs };
    assert.deepEqual(step(state, getsOn, NOW, POLICY), { state, effects: [] });
  });

  test('the update hears what the worker says of itself', () => {
    const { effects } = step(tried, ready, NOW, POLICY);
    assert.deepEqual(effects.at(-1), { kind: 'signal', signal: { kind: 'worker-up', readiness } });
  });

  const DEATHS = [
    ['by a code', onTrial, exited(3), { how: 'exited', code: 3, signal: null, reason: '' }],
    ['by a signal', tried, killed, { how: 'exited', code: null, signal: 'SIGKILL', reason: '' }],
    [
      'because it was too slow',
      { ...tried, timedOut: true },
      killed,
      { how: 'timed-out', code: null, signal: 'SIGKILL', reason: '' },
    ],
    [
      'before it lived',
      tried,
      spawnFailed,
      { how: 'not-started', code: null, signal: null, reason: 'ENOENT' },
    ],
  ] as const;
  for (const [how, state, event, told] of DEATHS) {
    test(`the update hears how a worker on trial ended: ${how}`, () => {
      const { effects } = step(state, event, NOW, POLICY);
      assert.deepEqual(effects.at(-1), {
        kind: 'signal',
        signal: { kind: 'worker-failed', ...told },
      });
    });
  }

  test('once its trial has ended, a worker is restarted like any other', () => {
    const { state } = step(onTrial, endTrial, NOW, POLICY);
    assert.equal(step(state, killed, NOW, POLICY).state.phase, 'backing-off');
  });

  test('a worker that is wanted again before it is gone is replaced by the one that is wanted', () => {
    const { state } = step(pausing, tryOut, NOW, POLICY);
    const next = step(state, exited(0), NOW, POLICY);
    assert.deepEqual(next.effects.flatMap(inShort), ['-stop-deadline', ...TRY]);
  });

  test('what is wanted last is what comes, however often that changes before it is gone', () => {
    const { state: tried } = step(pausing, tryOut, NOW, POLICY);
    const { state: untried } = step(tried, resume, NOW, POLICY);
    const next = step(untried, exited(0), NOW, POLICY);
    assert.deepEqual(next.effects.flatMap(inShort), ['-stop-deadline', ...START]);
  });

  test('a suspension that wins over a reload leaves no worker', () => {
    const { state } = step(reloading, suspend, NOW, POLICY);
    assert.equal(step(state, exited(0), NOW, POLICY).state.phase, 'suspended');
  });

  test('a stop that wins over a suspension ends the supervisor', () => {
    const { state } = step(pausing, term, NOW, POLICY);
    assert.deepEqual(step(state, exited(0), NOW, POLICY).state, { phase: 'stopped', code: 0 });
  });

  test('no worker is ready after it was given up, and it counts as the one that was', () => {
    const { state } = step(tried, fired('start-deadline'), NOW, POLICY);
    assert.deepEqual(step(state, ready, NOW, POLICY), { state, effects: [] });
  });

  test('any worker that was ready makes a later refusal of the configuration one to wait for', () => {
    const fresh = { ...starting, tally: { ...TIRED, everReady: false } };
    const { state } = step(fresh, ready, NOW, POLICY);
    assert.deepEqual(step(state, exited(78), NOW, POLICY).state, {
      phase: 'suspended',
      cause: 'config',
      tally: TIRED,
    });
  });

  test('what an update stops keeps the crashes that it had, and forgives those that are old', () => {
    const next = step(running, suspend, NOW, POLICY);
    assert.ok(next.state.phase === 'stopping' && next.state.tally.crashes === 3);
    const settled = step(healthy, suspend, NOW, POLICY);
    assert.ok(settled.state.phase === 'stopping' && settled.state.tally.crashes === 0);
  });

  test('a stop that is under way for good hears nothing of an update', () => {
    for (const event of [suspend, resume, tryOut, endTrial]) {
      assert.deepEqual(step(stopping, event, NOW, POLICY), { state: stopping, effects: [] });
    }
  });
});
