import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UPDATE_STATES, type UpdateState } from '../../../../shared/contract/update-record.ts';
import type { Open, UpdateEvent } from '../../../../supervisor/core/update/machine.ts';
import { NO_MEMORY } from '../../../../supervisor/core/update/outcome.ts';
import { from, inShort, open, opened, RECORD, SITUATIONS, type What, whereTo } from './fixture.ts';

const FAILURE = { code: 'UPDATE_RECORD_UNWRITABLE', detail: 'ENOSPC' } as const;
const refused: UpdateEvent = { kind: 'persist-failed', failure: FAILURE };
const retry: UpdateEvent = { kind: 'update-timer', timer: 'retry' };
const RETRY = '+retry:10000';
const GO_ON = ['proceed', 'resume'];
const CLOSE = ['end-trial', ...GO_ON];

type Expected = readonly [next: string, effects: readonly string[]];

const GIVEN_UP: Expected = [
  'aborting/closing!',
  ['cancel-act', '-idle-deadline', 'answer req-1 UPDATE_RECORD_UNWRITABLE', ...GO_ON, RETRY],
];

/** What follows when the disk refuses the record of a state, by what was to be done next. */
const EXPECTED: Record<UpdateState, (what: What) => Expected> = {
  requested: () => GIVEN_UP,
  staging: () => GIVEN_UP,
  staged: () => GIVEN_UP,
  quiescing: () => GIVEN_UP,
  'backing-up': () => GIVEN_UP,
  switching: () => GIVEN_UP,
  trial: () => ['rolling-back/suspending', ['suspend']],
  'handing-over': (what) => [`handing-over/${what}!`, [RETRY]],
  committing: () => ['committing/closing!', [RETRY]],
  'rolling-back': (what) => {
    if (what === 'suspending') return ['rolling-back/suspending', ['suspend']];
    if (what === 'starting') return ['rolling-back/starting', ['resume on trial']];
    return [`rolling-back/${what}!`, [RETRY]];
  },
  'rolled-back': () => ['rolled-back/closing!', [RETRY]],
  aborting: () => ['aborting/closing!', [...GO_ON, RETRY]],
  held: () => ['held/held', ['suspend', '+held-poll:900000']],
};

describe('a record that the disk refuses', () => {
  for (const state of UPDATE_STATES) {
    for (const what of SITUATIONS[state]) {
      test(`${state}/${what}`, () => {
        const step = from(open(state, what), refused);
        const [next, effects] = EXPECTED[state](what);
        assert.equal(whereTo(step), next);
        assert.deepEqual(inShort(step.effects), effects);
      });
    }
  }

  test('nothing but the next attempt to save it leads on, in every state', () => {
    const others: readonly UpdateEvent[] = [
      { kind: 'worker-suspended' },
      { kind: 'worker-failed', how: 'exited', code: 1, signal: null, reason: '' },
      { kind: 'probed', failure: null },
      { kind: 'act-failed', failure: FAILURE },
      { kind: 'update-timer', timer: 'probe' },
      { kind: 'closed', memory: NO_MEMORY },
    ];
    for (const state of UPDATE_STATES) {
      for (const what of SITUATIONS[state]) {
        const work: Open = { ...open(state, what), isUnsaved: true };
        for (const event of others) {
          assert.deepEqual(from(work, event), { machine: from(work, event).machine, effects: [] });
          assert.equal(from(work, event).machine.work, work);
        }
      }
    }
  });

  const LATER: readonly (readonly [UpdateState, What, readonly string[]])[] = [
    ['aborting', 'closing', [...CLOSE, 'close failed']],
    ['committing', 'closing', [...CLOSE, 'close committed']],
    ['rolled-back', 'closing', [...CLOSE, 'close rolled-back']],
    ['handing-over', 'suspending', ['suspend']],
    ['handing-over', 'starting', ['resume on trial']],
    ['rolling-back', 'starting', ['resume on trial']],
    ['rolling-back', 'executing', ['execute']],
  ];
  for (const [state, what, effects] of LATER) {
    test(`${state}/${what}: once the disk takes it, what stood behind it follows`, () => {
      const step = from({ ...open(state, what), isUnsaved: true }, retry);
      assert.equal(whereTo(step), `${state}/${what}`);
      assert.deepEqual(inShort(step.effects), [`persist ${state}`, ...effects]);
    });
  }

  test('before the exchange it ends as failed, and says why', () => {
    const { record } = opened(from(open('switching', 'switching'), refused));
    assert.deepEqual([record.outcome, record.failure], ['failed', FAILURE]);
  });

  test('a trial goes back for the sake of the disk, and blames nobody for it', () => {
    const { record } = opened(from(open('trial', 'starting'), refused));
    assert.deepEqual(record.failure, FAILURE);
  });

  test('an old worker over a database that was put back is not started before that is durable', () => {
    const database = { ...RECORD.database, restored: true };
    const step = from(open('rolling-back', 'starting', { database }), refused);
    assert.equal(whereTo(step), 'rolling-back/starting!');
    assert.deepEqual(inShort(step.effects), [RETRY]);
  });
});

describe('the end of an update', () => {
  for (const state of ['aborting', 'committing', 'rolled-back'] as const) {
    const closing = open(state, 'closing');
    const outcome = state === 'committing' ? 'committed' : state.replace('aborting', 'failed');

    test(`${state}: is over when all is cleaned up`, () => {
      const memory = { ...NO_MEMORY, quarantine: { v: 1, entries: [] } };
      const step = from(closing, { kind: 'closed', memory }, {}, { self: 'to' });
      assert.deepEqual(step.machine, {
        ...step.machine,
        memory,
        self: 'from',
        work: { kind: 'none' },
      });
    });

    test(`${state}: is cleaned up again later where that failed`, () => {
      const failed = from(closing, { kind: 'act-failed', failure: FAILURE });
      assert.equal(whereTo(failed), `${state}/closing`);
      assert.deepEqual(inShort(failed.effects), [RETRY]);
      const again = from(closing, retry);
      assert.deepEqual(inShort(again.effects), [...CLOSE, `close ${outcome}`]);
    });

    test(`${state}: no other clock and no worker changes that`, () => {
      for (const event of [
        { kind: 'update-timer', timer: 'probe' },
        { kind: 'worker-failed', how: 'exited', code: 1, signal: null, reason: '' },
        { kind: 'worker-suspended' },
      ] as const) {
        assert.deepEqual(from(closing, event).effects, []);
      }
    });
  }
});
