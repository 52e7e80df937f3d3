import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpdateRecord } from '../../../../shared/contract/update-record.ts';
import { NO_MEMORY } from '../../../../supervisor/core/update/outcome.ts';
import { takeUpAgain } from '../../../../supervisor/core/update/record-moves.ts';
import { recover } from '../../../../supervisor/core/update/recover.ts';
import {
  BACKUP,
  badMemory,
  CONTEXT,
  from,
  inShort,
  NEW,
  OLD,
  open,
  opened,
  RECORD,
  REQUEST,
  release,
  type What,
  whereTo,
} from './fixture.ts';

const FAILURE = { code: 'UPDATE_DISK_FULL', detail: 'ENOSPC' } as const;
const BLAME = { code: 'UPDATE_START_FAILED', detail: 'It exited with 1.' } as const;
const THIRD = release('3.0.0', 'c');

/** An update that is held because of `NEW`. */
const HELD: UpdateRecord = { ...RECORD, txn: 'upd_0', state: 'held', failure: BLAME };
const { over: _over, extra: _extra, ...over } = HELD;
/** One that is to take its place. */
const above = (state: UpdateRecord['state'], what: What, changes: Partial<UpdateRecord> = {}) =>
  open(state, what, { to: THIRD, over, ...changes });
const noWorker = { worker: 'none' } as const;

/** Everything up to the exchange. */
const BEFORE: readonly (readonly [UpdateRecord['state'], What])[] = [
  ['staging', 'staging'],
  ['staged', 'inspecting'],
  ['staged', 'pausing'],
  ['quiescing', 'suspending'],
  ['backing-up', 'backing-up'],
];

describe('an update that is to take the place of a held one', () => {
  test('carries the held one with it, and knows at once what that one is to blame for', () => {
    const step = from(
      { kind: 'identifying', request: REQUEST, over: HELD },
      { kind: 'identified', from: OLD, retained: null },
      noWorker,
      { self: 'to' },
    );
    assert.deepEqual(inShort(step.effects), [
      'persist requested',
      'answer req-1 upd_fresh',
      'persist staging',
      'stage',
    ]);
    assert.deepEqual(opened(step).record.over, over);
    const stage = step.effects.at(-1);
    assert.ok(stage?.kind === 'stage');
    assert.deepEqual(stage.order.quarantine, [NEW.digest]);
    assert.deepEqual(step.machine.memory.policy.badInARow, [NEW.digest]);
    // This supervisor was the new program of the held update, which is none of this one's.
    assert.equal(step.machine.self, 'from');
  });

  test('is looked into with the held one in mind, whether a person asks or the host itself', () => {
    const held = open('held', 'held');
    const asks = [
      { kind: 'request', request: { ...REQUEST, id: 'req-2' } },
      { kind: 'looked', found: true },
    ] as const;
    for (const event of asks) {
      const { work } = from(held, event, noWorker).machine;
      assert.ok(work.kind === 'identifying');
      assert.equal(work.over, held.record);
      // What a host asks for by itself is to be installed, and gives nothing up.
      const { dryRun, restoreDatabase, force } = work.request;
      assert.deepEqual([dryRun, restoreDatabase, force], [false, false, false]);
    }
  });

  test('takes the held one as it was, for no program of today has added anything to it', () => {
    const more = { ...HELD, over, extra: { later: 1 } };
    const step = from(
      { kind: 'identifying', request: REQUEST, over: more },
      { kind: 'identified', from: OLD, retained: null },
    );
    assert.deepEqual(opened(step).record.over, over);
    assert.deepEqual(takeUpAgain(over), HELD);
  });

  test('ends the held one with the exchange: told once that is recorded, and before it happens', () => {
    const memory = badMemory(NEW);
    const step = from(
      above('backing-up', 'backing-up'),
      { kind: 'backed-up', backup: BACKUP },
      noWorker,
      { memory },
    );
    assert.deepEqual(inShort(step.effects), ['persist switching', 'supersede', 'switch-program']);
    assert.deepEqual(
      step.effects.find(({ kind }) => kind === 'supersede'),
      {
        kind: 'supersede',
        record: HELD,
        memory,
      },
    );
  });

  test('is on its own from then on, on its way there and back', () => {
    const tried = from(above('switching', 'switching'), { kind: 'switched' }, noWorker);
    assert.deepEqual([whereTo(tried), opened(tried).record.over], ['trial/starting', null]);
    const failed = { kind: 'act-failed', failure: FAILURE } as const;
    const back = from(above('switching', 'switching'), failed, noWorker);
    assert.deepEqual([whereTo(back), opened(back).record.over], ['rolling-back/suspending', null]);
  });

  for (const [state, what] of BEFORE) {
    test(`${state}/${what}: where it is cancelled, no worker is started and the held one is held again`, () => {
      const cancel = {
        kind: 'request',
        request: { ...REQUEST, id: 'req-2', command: 'cancel' },
      } as const;
      const aborted = from(above(state, what), cancel, noWorker);
      assert.deepEqual(inShort(aborted.effects), [
        'cancel-act',
        '-idle-deadline',
        'persist aborting',
        'suspend',
        'close cancelled',
        'answer req-2 upd_1',
      ]);
      const closed = from(opened(aborted), { kind: 'closed', memory: NO_MEMORY }, noWorker);
      assert.equal(whereTo(closed), 'held/held');
      assert.deepEqual(opened(closed).record, HELD);
      assert.deepEqual(inShort(closed.effects), ['suspend', '+held-poll:900000']);
    });

    test(`${state}/${what}: where the disk refuses its record it ends the same way`, () => {
      const refused = from(
        above(state, what),
        { kind: 'persist-failed', failure: FAILURE },
        noWorker,
      );
      assert.equal(whereTo(refused), 'aborting/closing!');
      assert.ok(!inShort(refused.effects).includes('resume'));
      const saved = from(opened(refused), { kind: 'update-timer', timer: 'retry' }, noWorker);
      assert.deepEqual(inShort(saved.effects), [
        'persist aborting',
        'end-trial',
        'suspend',
        'close failed',
      ]);
    });

    test(`${state}/${what}: after a crash it goes on without a worker`, () => {
      const { record } = above(state, what);
      const found = {
        record,
        memory: NO_MEMORY,
        unavailable: null,
        slot: 'old',
        targetDigest: null,
      } as const;
      const step = recover(found, CONTEXT);
      assert.equal(inShort(step.effects)[0], 'suspend');
      assert.ok(!inShort(step.effects).includes('resume'));
      assert.ok(!['staged/pausing'].includes(whereTo(step)));
      assert.deepEqual(step.machine.memory.policy.badInARow, [NEW.digest]);
    });
  }

  test('after a crash in the exchange the held one is told to be over, again', () => {
    const { record } = above('switching', 'switching');
    const found = {
      record,
      memory: NO_MEMORY,
      unavailable: null,
      slot: 'old',
      targetDigest: null,
    } as const;
    const step = recover(found, CONTEXT);
    assert.deepEqual(inShort(step.effects), ['suspend', 'supersede', 'switch-program']);
  });

  test('after a crash at its end the held one is held again', () => {
    const { record } = above('aborting', 'closing', { outcome: 'failed', failure: FAILURE });
    const found = {
      record,
      memory: NO_MEMORY,
      unavailable: null,
      slot: 'old',
      targetDigest: null,
    } as const;
    const step = recover(found, CONTEXT);
    assert.deepEqual(inShort(step.effects), ['end-trial', 'suspend', 'close failed']);
  });
});
