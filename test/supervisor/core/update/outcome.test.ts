import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ErrorCode } from '../../../../shared/contract/error-codes.ts';
import { UPDATE_ERRORS } from '../../../../shared/contract/update-error-codes.ts';
import { UPDATE_OUTCOMES } from '../../../../shared/contract/update-history.ts';
import type { UpdateRecord } from '../../../../shared/contract/update-record.ts';
import type { Memory } from '../../../../supervisor/core/update/machine.ts';
import {
  isBlamed,
  NO_MEMORY,
  remember,
  toHistory,
} from '../../../../supervisor/core/update/outcome.ts';
import { badMemory, NEW, OLD, RECORD, release } from './fixture.ts';

const BLAMED = [
  'UPDATE_START_FAILED',
  'UPDATE_START_TIMEOUT',
  'UPDATE_WRONG_PROGRAM',
  'UPDATE_CONFIG_REJECTED',
  'UPDATE_PROBE_FAILED',
  'UPDATE_CHECK_FAILED',
  'UPDATE_SUPERVISOR_FAILED',
];
const NOW = 1_700_000_100_000;

const failedWith = (code: ErrorCode, changes: Partial<UpdateRecord> = {}): UpdateRecord => ({
  ...RECORD,
  failure: { code, detail: 'It exited with 1.' },
  ...changes,
});
const bad = (to = NEW, txn = 'upd_1') => failedWith('UPDATE_START_FAILED', { to, txn });

describe('what is remembered of an update', () => {
  for (const code of Object.keys(UPDATE_ERRORS) as (keyof typeof UPDATE_ERRORS)[]) {
    const isTheProgram = BLAMED.includes(code);
    test(`${code} ${isTheProgram ? 'is' : 'is not'} the fault of the program`, () => {
      assert.equal(isBlamed(failedWith(code)), isTheProgram);
      const memory = remember(NO_MEMORY, failedWith(code), 'rolled-back', NOW);
      assert.equal(memory.quarantine.entries.length, isTheProgram ? 1 : 0);
      if (!isTheProgram) assert.equal(memory, NO_MEMORY);
    });
  }

  test('only an update that went back, or was held, says that a program is bad', () => {
    for (const outcome of UPDATE_OUTCOMES) {
      const { quarantine } = remember(NO_MEMORY, bad(), outcome, NOW);
      const isBad = outcome === 'rolled-back' || outcome === 'superseded';
      assert.equal(quarantine.entries.length, isBad ? 1 : 0, outcome);
    }
  });

  test('without a choice there is nothing to blame', () => {
    const { quarantine } = remember(NO_MEMORY, { ...bad(), to: null }, 'rolled-back', NOW);
    assert.deepEqual(quarantine.entries, []);
    assert.equal(isBlamed(RECORD), false);
  });

  test('a bad program is known by its digest, with what it did and when', () => {
    const { quarantine, policy } = remember(NO_MEMORY, bad(), 'rolled-back', NOW);
    assert.deepEqual(quarantine.entries, [
      {
        digest: NEW.digest,
        version: NEW.version,
        failure: { code: 'UPDATE_START_FAILED', detail: 'It exited with 1.' },
        count: 1,
        firstAt: NOW,
        lastAt: NOW,
        txn: 'upd_1',
      },
    ]);
    assert.deepEqual(policy, { ...NO_MEMORY.policy, badInARow: [NEW.digest], lastGood: OLD });
  });

  test('doing it again changes nothing, for any end', () => {
    for (const outcome of UPDATE_OUTCOMES) {
      for (const record of [RECORD, bad()]) {
        const once = remember(badMemory(OLD), record, outcome, NOW);
        assert.deepEqual(remember(once, record, outcome, NOW + 5), once, outcome);
      }
    }
  });

  test('a program that is bad once more is counted, and is the newest entry', () => {
    const memory = remember(badMemory(NEW, OLD), bad(NEW, 'upd_2'), 'rolled-back', NOW);
    assert.deepEqual(
      memory.quarantine.entries.map(({ digest, count, firstAt, lastAt }) => [
        digest,
        count,
        firstAt,
        lastAt,
      ]),
      [
        [OLD.digest, 1, 1, 1],
        [NEW.digest, 2, 1, NOW],
      ],
    );
  });

  test('the quarantine keeps the newest 500', () => {
    const many = Array.from({ length: 500 }, (_, n) => release(`0.0.${n}`, String(n % 10)));
    const memory = remember(badMemory(...many), bad(), 'rolled-back', NOW);
    assert.equal(memory.quarantine.entries.length, 500);
    assert.equal(memory.quarantine.entries.at(-1)?.digest, NEW.digest);
  });

  test('two different bad ones in a row put updates on hold, the same one twice does not', () => {
    const once = remember(NO_MEMORY, bad(NEW, 'upd_1'), 'rolled-back', NOW);
    assert.equal(once.policy.hold, null);
    const twice = remember(once, bad(NEW, 'upd_2'), 'rolled-back', NOW);
    assert.equal(twice.policy.hold, null);
    const other = remember(twice, bad(release('3.0.0', 'c'), 'upd_3'), 'rolled-back', NOW);
    assert.deepEqual(other.policy.hold, {
      at: NOW,
      by: null,
      reason: '2 different releases in a row had to be rolled back.',
      automatic: true,
    });
  });

  test('a good one in between begins the row anew', () => {
    const once = remember(NO_MEMORY, bad(), 'rolled-back', NOW);
    const good = remember(once, { ...RECORD, to: release('3.0.0', 'c') }, 'committed', NOW);
    assert.deepEqual(good.policy.badInARow, []);
    const again = remember(good, bad(release('4.0.0', 'e'), 'upd_4'), 'rolled-back', NOW);
    assert.equal(again.policy.hold, null);
  });

  test('a hold of a person stays as it is', () => {
    const hold = { at: 1, by: 'somebody', reason: null, automatic: false };
    const memory: Memory = { ...badMemory(OLD), policy: { ...badMemory(OLD).policy, hold } };
    assert.equal(remember(memory, bad(), 'rolled-back', NOW).policy.hold, hold);
  });

  test('gone back on purpose, no update begins by itself until a person says so', () => {
    const request = { ...RECORD.request, by: 'somebody' };
    const record = { ...RECORD, kind: 'rollback', to: OLD, request } as const;
    const once = remember(NO_MEMORY, record, 'committed', NOW);
    assert.deepEqual(once.policy.hold, {
      at: NOW,
      by: 'somebody',
      reason: `Version ${OLD.version} was gone back to on purpose.`,
      automatic: false,
    });
    assert.deepEqual(remember(once, record, 'committed', NOW + 5), once);
    const hold = { at: 1, by: 'another', reason: null, automatic: true };
    const held: Memory = { ...NO_MEMORY, policy: { ...NO_MEMORY.policy, hold } };
    assert.equal(remember(held, record, 'committed', NOW).policy.hold, hold);
    assert.equal(remember(NO_MEMORY, record, 'rolled-back', NOW).policy.hold, null);
  });

  test('what was committed is the last good one, and nothing older is news', () => {
    const to = { ...NEW, generation: 7 };
    const { policy } = remember(NO_MEMORY, { ...RECORD, to }, 'committed', NOW);
    assert.deepEqual([policy.lastGood, policy.generationFloor], [to, 7]);
    const older = { ...RECORD, to: { ...NEW, generation: 6 } };
    const floor = { ...NO_MEMORY, policy };
    assert.equal(remember(floor, older, 'committed', NOW).policy.generationFloor, 7);
    const unknown = { ...RECORD, to: { ...NEW, generation: null } };
    assert.equal(remember(floor, unknown, 'committed', NOW).policy.generationFloor, 7);
    const newer = { ...RECORD, kind: 'rollback', to: { ...NEW, generation: 8 } } as const;
    assert.equal(remember(floor, newer, 'committed', NOW).policy.generationFloor, 7);
  });

  test('the first generation of all counts too', () => {
    const to = { ...NEW, generation: 0 };
    assert.equal(
      remember(NO_MEMORY, { ...RECORD, to }, 'committed', NOW).policy.generationFloor,
      0,
    );
  });

  test('the history has what a person asks for', () => {
    const record = bad();
    assert.deepEqual(toHistory({ ...record, warnings: ['w'] }, 'rolled-back', NOW), {
      v: 1,
      txn: 'upd_1',
      kind: 'release',
      outcome: 'rolled-back',
      from: OLD,
      to: NEW,
      request: { id: 'req-1', trigger: 'cli', by: 'somebody' },
      startedAt: RECORD.startedAt,
      finishedAt: NOW,
      failure: record.failure,
      databaseRestored: false,
      steps: RECORD.steps,
      warnings: ['w'],
    });
  });
});
