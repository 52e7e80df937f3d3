import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpdateRecord, UpdateState } from '../../../../shared/contract/update-record.ts';
import type { UpdateContext } from '../../../../supervisor/core/update/machine.ts';
import { NO_MEMORY } from '../../../../supervisor/core/update/outcome.ts';
import { type Found, recover } from '../../../../supervisor/core/update/recover.ts';
import { CONTEXT, inShort, NEW, OLD, opened, RECORD, WANTED, whereTo } from './fixture.ts';

type Expected = {
  readonly self: 'from' | 'to';
  readonly next: string;
  readonly effects: readonly string[];
};

const GO_ON = ['proceed', 'resume'];
const BACK = ['cancel-act', '-probe', 'persist rolling-back', 'suspend'];
const PAUSE = [...GO_ON, 'persist staged', 'pause', '+idle-deadline:300000'];
const STAGE = [...GO_ON, 'persist staging', 'stage'];
const CLOSE = ['end-trial', ...GO_ON];
const TRY = ['persist trial', 'resume on trial'];

/** What follows in each state, whatever lies on the disk; where that decides, by which program was started. */
const AFTER: Record<
  UpdateState,
  {
    readonly from: readonly [string, readonly string[]];
    readonly to?: readonly [string, readonly string[]];
  }
> = {
  requested: { from: ['staging/staging', STAGE] },
  staging: { from: ['staging/staging', STAGE] },
  staged: { from: ['staged/pausing', PAUSE] },
  quiescing: { from: ['staged/pausing', PAUSE] },
  'backing-up': { from: ['staged/pausing', PAUSE] },
  switching: { from: ['switching/switching', ['suspend', 'switch-program']] },
  trial: { from: ['trial/starting', TRY] },
  'handing-over': {
    from: ['rolling-back/suspending', BACK],
    to: ['handing-over/starting', ['persist handing-over', 'resume on trial']],
  },
  committing: { from: ['committing/closing', [...CLOSE, 'close committed']] },
  'rolling-back': { from: ['rolling-back/restoring-program', ['suspend', 'restore-program']] },
  'rolled-back': { from: ['rolled-back/closing', [...CLOSE, 'close rolled-back']] },
  aborting: { from: ['aborting/closing', [...CLOSE, 'close failed']] },
  held: { from: ['held/held', ['suspend', '+held-poll:900000']] },
};

const SLOTS = ['target', 'old'] as const;
const DIGESTS = {
  'the old program': OLD.digest,
  'the new program': NEW.digest,
  nothing: null,
  'a stranger': 'f'.repeat(64),
};

describe('what a starting supervisor does first', () => {
  for (const [state, after] of Object.entries(AFTER)) {
    for (const slot of SLOTS) {
      for (const [what, targetDigest] of Object.entries(DIGESTS)) {
        test(`${state}, started as ${slot}, with ${what} at the target`, () => {
          const self = tellSelf(state as UpdateState, slot, targetDigest);
          const [next, effects] = (self === 'to' ? after.to : undefined) ?? after.from;
          check({ state: state as UpdateState }, { slot, targetDigest }, { self, next, effects });
        });
      }
    }
  }

  test('without an open update the worker is started', () => {
    const { machine, effects } = recover(found(null), CONTEXT);
    assert.equal(machine.work.kind, 'none');
    assert.deepEqual(inShort(effects), ['resume']);
  });

  test('what was remembered, and why there can be no update, is known', () => {
    const unavailable = { code: 'UPDATE_UNAVAILABLE', detail: 'It runs elsewhere.' } as const;
    const memory = { ...NO_MEMORY, quarantine: { v: 1, entries: [] } };
    const { machine } = recover({ ...found(null), memory, unavailable }, CONTEXT);
    assert.deepEqual([machine.memory, machine.unavailable], [memory, unavailable]);
    assert.equal(machine.isStopping, false);
  });

  test('what was cut off too often before the exchange ends', () => {
    for (const state of ['requested', 'staging', 'staged', 'quiescing', 'backing-up'] as const) {
      check(
        { state, stagingLeft: 0 },
        {},
        {
          self: 'from',
          next: 'aborting/closing',
          effects: [
            ...GO_ON,
            'cancel-act',
            '-idle-deadline',
            'persist aborting',
            ...GO_ON,
            'close failed',
          ],
        },
      );
    }
  });

  test('each such start is counted', () => {
    for (const state of ['requested', 'staging', 'staged', 'quiescing', 'backing-up'] as const) {
      const { record } = opened(recover(found({ state }), CONTEXT));
      assert.equal(record.stagingLeft, RECORD.stagingLeft - 1);
    }
  });

  test('a former program is asked again about a database that went on meanwhile', () => {
    for (const state of ['staged', 'quiescing', 'backing-up'] as const) {
      for (const database of [RECORD.database, { ...RECORD.database, wanted: WANTED }]) {
        check(
          { state, kind: 'rollback', database },
          {},
          {
            self: 'from',
            next: 'staged/inspecting',
            effects: [...GO_ON, 'persist staged', 'inspect-staged'],
          },
        );
      }
    }
  });

  test('a trial whose tries are used up goes back', () => {
    for (const [state, slot] of [
      ['trial', 'old'],
      ['trial', 'target'],
      ['handing-over', 'target'],
    ] as const) {
      const { machine } = check(
        { state, triesLeft: 0 },
        { slot },
        {
          self: slot === 'old' ? 'from' : 'to',
          next: 'rolling-back/suspending',
          effects: BACK,
        },
      );
      assert.equal(opened({ machine, effects: [] }).record.failure?.code, 'UPDATE_START_FAILED');
    }
  });

  test('a power cut in the hand-over says nothing about the new supervisor: it is tried again', () => {
    const context = { ...CONTEXT, bootId: 'boot-2' };
    check(
      { state: 'handing-over' },
      { slot: 'old' },
      { self: 'from', next: 'trial/starting', effects: TRY },
      context,
    );
    const { machine } = check(
      { state: 'handing-over', handOversLeft: 0 },
      { slot: 'old' },
      { self: 'from', next: 'rolling-back/suspending', effects: BACK },
      context,
    );
    assert.equal(opened({ machine, effects: [] }).record.failure?.code, 'UPDATE_SUPERVISOR_FAILED');
  });

  test('falling back without one says all, however many hand-overs are left', () => {
    check(
      { state: 'handing-over', handOversLeft: 9 },
      { slot: 'old' },
      {
        self: 'from',
        next: 'rolling-back/suspending',
        effects: BACK,
      },
    );
  });

  test('an update ends as it was to end', () => {
    for (const outcome of ['failed', 'cancelled', 'current', 'dry-run'] as const) {
      check(
        { state: 'aborting', outcome },
        {},
        {
          self: 'from',
          next: 'aborting/closing',
          effects: [...CLOSE, `close ${outcome}`],
        },
      );
    }
  });

  test('an update that has chosen nothing yet is the old program’s', () => {
    for (const state of ['requested', 'staging', 'trial'] as const) {
      const { machine } = recover(found({ state, to: null }), CONTEXT);
      assert.equal(machine.self, 'from');
    }
  });

  test('the time since the step before is not known after a restart', () => {
    const { record } = opened(recover(found({ state: 'handing-over' }, { slot: 'old' }), CONTEXT));
    assert.deepEqual(record.steps[0]?.ms, null);
    assert.deepEqual(record.steps[1], { state: 'rolling-back', at: CONTEXT.wallMs, ms: null });
  });
});

/** Which of both programs this is: the launcher starts `old` only where the new one is not proven. */
function tellSelf(
  state: UpdateState,
  slot: Found['slot'],
  targetDigest: string | null,
): 'from' | 'to' {
  if (slot === 'old') return 'from';
  if (state === 'switching' || state === 'rolling-back') {
    return targetDigest === NEW.digest ? 'to' : 'from';
  }
  return state === 'trial' || state === 'handing-over' || state === 'committing' ? 'to' : 'from';
}

function found(record: Partial<UpdateRecord> | null, changes: Partial<Found> = {}): Found {
  return {
    record: record && { ...RECORD, ...record },
    memory: NO_MEMORY,
    unavailable: null,
    slot: 'target',
    targetDigest: null,
    ...changes,
  };
}

function check(
  record: Partial<UpdateRecord>,
  changes: Partial<Found>,
  expected: Expected,
  context: UpdateContext = CONTEXT,
) {
  const step = recover(found(record, changes), context);
  assert.equal(step.machine.self, expected.self);
  assert.equal(whereTo(step), expected.next);
  assert.deepEqual(inShort(step.effects), expected.effects);
  return step;
}
