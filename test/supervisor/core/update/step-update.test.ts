import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UPDATE_STATES } from '../../../../shared/contract/update-record.ts';
import type { UpdateEvent } from '../../../../supervisor/core/update/machine.ts';
import { NO_MEMORY } from '../../../../supervisor/core/update/outcome.ts';
import {
  BACKUP,
  from,
  inShort,
  NEW,
  open,
  opened,
  REQUEST,
  SITUATIONS,
  type What,
  whereTo,
} from './fixture.ts';

const FAILURE = { code: 'UPDATE_DISK_FULL', detail: 'ENOSPC' } as const;

/** One of each kind, and of each clock. */
const EVENTS: readonly UpdateEvent[] = [
  { kind: 'identified', from: NEW, retained: null },
  { kind: 'staging-progress', step: 'downloading', bytes: 1, total: 2 },
  { kind: 'staged', release: NEW },
  { kind: 'current', release: NEW },
  { kind: 'staging-failed', failure: FAILURE },
  { kind: 'inspected', compatible: true, detail: '' },
  { kind: 'worker-idle' },
  { kind: 'worker-up', readiness: { version: NEW.version, digest: NEW.digest, schema: 2 } },
  { kind: 'worker-failed', how: 'exited', code: 1, signal: null, reason: '' },
  { kind: 'worker-suspended' },
  { kind: 'backed-up', backup: BACKUP },
  { kind: 'switched' },
  { kind: 'wanted-restored' },
  { kind: 'probed', failure: null },
  { kind: 'checked', failure: null, warnings: [] },
  { kind: 'hand-over-impossible', reason: '' },
  { kind: 'program-restored' },
  { kind: 'database-settled', restored: false },
  { kind: 'closed', memory: NO_MEMORY },
  { kind: 'looked', found: true },
  { kind: 'act-failed', failure: FAILURE },
  { kind: 'update-timer', timer: 'idle-deadline' },
  { kind: 'update-timer', timer: 'probe' },
  { kind: 'update-timer', timer: 'retry' },
  { kind: 'update-timer', timer: 'held-poll' },
  { kind: 'reload' },
];

/** What means something while it is waited for something; everything else is ignored. */
const HEEDED: Record<What, readonly string[]> = {
  staging: ['staging-progress', 'staged', 'current', 'staging-failed', 'act-failed'],
  inspecting: ['inspected', 'act-failed'],
  pausing: ['worker-idle', 'worker-up', 'idle-deadline'],
  suspending: ['worker-suspended', 'worker-failed'],
  'backing-up': ['backed-up', 'act-failed'],
  switching: ['switched', 'wanted-restored', 'act-failed'],
  'restoring-wanted': ['switched', 'wanted-restored', 'act-failed'],
  starting: ['worker-up', 'worker-failed'],
  soaking: ['probe', 'probed', 'act-failed', 'worker-failed'],
  checking: ['checked', 'act-failed', 'worker-failed'],
  executing: ['act-failed', 'hand-over-impossible'],
  'restoring-program': ['program-restored', 'act-failed'],
  'settling-database': ['database-settled', 'act-failed'],
  closing: ['closed', 'act-failed', 'retry'],
  held: ['held-poll', 'looked', 'act-failed', 'reload'],
};

/** Where a stop gives the try back, for it proved nothing. */
const TRIALS = ['trial', 'handing-over'];

describe('every state and every event', () => {
  for (const state of UPDATE_STATES) {
    for (const what of SITUATIONS[state]) {
      test(`${state}/${what} heeds ${HEEDED[what].join(', ')} and nothing else`, () => {
        const work = open(state, what);
        const heeded = EVENTS.filter((event) => {
          const { machine, effects } = from(work, event);
          return machine.work !== work || effects.length > 0;
        });
        const names = heeded.map((event) => ('timer' in event ? event.timer : event.kind));
        assert.deepEqual(new Set(names), new Set(HEEDED[what]));
      });

      test(`${state}/${what}: a service that is stopped begins nothing any more`, () => {
        const work = open(state, what);
        for (const event of [...EVENTS, { kind: 'persist-failed', failure: FAILURE } as const]) {
          const { machine, effects } = from(work, event, {}, { isStopping: true });
          assert.deepEqual([machine.work, effects], [work, []]);
        }
      });

      test(`${state}/${what}: a stop ${TRIALS.includes(state) ? 'gives the try back' : 'leaves the record as it is'}`, () => {
        const work = open(state, what, { triesLeft: 1, handOversLeft: 0 });
        const step = from(work, { kind: 'stop' });
        assert.equal(step.machine.isStopping, true);
        if (!TRIALS.includes(state)) {
          assert.equal(step.machine.work, work);
          assert.deepEqual(inShort(step.effects), ['cancel-act']);
          return;
        }
        assert.equal(whereTo(step), `trial/${what}`);
        assert.deepEqual(inShort(step.effects), ['persist trial']);
        const { triesLeft, handOversLeft } = opened(step).record;
        assert.deepEqual([triesLeft, handOversLeft], state === 'trial' ? [2, 0] : [3, 1]);
      });
    }
  }

  test('a try that is given back is never more than all of them', () => {
    const trial = opened(from(open('trial', 'starting', { triesLeft: 3 }), { kind: 'stop' }));
    assert.equal(trial.record.triesLeft, 3);
    const over = open('handing-over', 'executing', { handOversLeft: 2 });
    assert.equal(opened(from(over, { kind: 'stop' })).record.handOversLeft, 2);
  });

  test('without an open update only a request means something', () => {
    for (const event of EVENTS) {
      const { machine, effects } = from({ kind: 'none' }, event);
      assert.deepEqual([machine.work, effects], [{ kind: 'none' }, []]);
    }
    assert.deepEqual(from({ kind: 'none' }, { kind: 'stop' }).effects, []);
  });

  test('while a request is looked into only what was found means something', () => {
    const work = { kind: 'identifying', request: REQUEST, over: null } as const;
    const heeded = EVENTS.filter((event) => from(work, event).machine.work !== work);
    assert.deepEqual(
      heeded.map(({ kind }) => kind),
      ['identified', 'act-failed'],
    );
  });

  test('what the types forbid is a bug and throws', () => {
    const limbo = { kind: 'limbo' } as never;
    assert.throws(() => from(limbo, { kind: 'worker-idle' }), /Undecided/);
    const work = { ...open('trial', 'starting'), doing: { what: 'limbo' } as never };
    assert.throws(() => from(work, { kind: 'worker-idle' }), /Undecided/);
  });
});

describe('an update that goes round and round', () => {
  test('goes back after forty records, whatever is tried', () => {
    for (const seq of [39, 40]) {
      const step = from(open('switching', 'switching', { seq }), { kind: 'switched' });
      assert.equal(whereTo(step), seq === 39 ? 'trial/starting' : 'rolling-back/suspending');
      if (seq === 40) assert.equal(opened(step).record.failure?.code, 'UPDATE_LOOPING');
    }
  });

  test('is held after sixty', () => {
    for (const seq of [59, 60]) {
      const step = from(open('trial', 'checking', { seq }), {
        kind: 'act-failed',
        failure: FAILURE,
      });
      assert.equal(whereTo(step), seq === 59 ? 'rolling-back/suspending' : 'held/held');
      const died = {
        kind: 'worker-failed',
        how: 'exited',
        code: 1,
        signal: null,
        reason: '',
      } as const;
      const old = open('rolling-back', 'starting', { seq, rollbackAttempts: 1 });
      assert.equal(whereTo(from(old, died)), seq === 59 ? 'rolling-back/starting' : 'held/held');
    }
  });
});
