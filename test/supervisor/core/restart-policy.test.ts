import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgeCrash, NO_CRASHES, settleTally } from '../../../supervisor/core/restart-policy.ts';
import { POLICY } from './walks.ts';

describe('judgeCrash', () => {
  const ROWS = [
    ['the first wait is the configured one', 0, 0.5, 500],
    ['each further crash doubles it', 1, 0.5, 1_000],
    ['three crashes before make it eightfold', 3, 0.5, 4_000],
    ['it is up to a fifth shorter', 0, 0, 400],
    ['it is up to a fifth longer', 0, 0.9999999, 600],
    ['it ends at the longest one', 7, 0.9999999, 60_000],
    ['jitter remains below the longest one', 50, 0, 48_000],
    ['no count of crashes is too high', 1e9, 0.5, 60_000],
  ] as const;
  for (const [title, crashes, random, delayMs] of ROWS) {
    test(title, () => {
      const verdict = judgeCrash({ ...NO_CRASHES, crashes }, random, POLICY);
      assert.deepEqual(verdict, {
        kind: 'back-off',
        delayMs,
        tally: { ...NO_CRASHES, crashes: crashes + 1 },
      });
    });
  }

  test('the longest wait wins over a longer first one', () => {
    const policy = { ...POLICY, backoffInitialMs: 60_000, backoffMaxMs: 10 };
    assert.equal(judgeCrash(NO_CRASHES, 0.5, policy).delayMs, 10);
  });
});

describe('settleTally', () => {
  const tired = { ...NO_CRASHES, crashes: 4 };
  test('crashes are forgiven after ten healthy minutes and not a millisecond earlier', () => {
    assert.equal(settleTally(tired, 0, 599_999, POLICY).crashes, 4);
    assert.equal(settleTally(tired, 0, 600_000, POLICY).crashes, 0);
  });
});
