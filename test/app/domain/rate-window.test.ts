import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { untilAllowed } from '../../../app/domain/rate-window.ts';

const TWO = [
  { count: 2, windowMs: 600 },
  { count: 3, windowMs: 18_000 },
] as const;

const CASES = [
  ['none before', [], 1_000, 0],
  ['room for one more', [1_000], 1_000, 0],
  ['two in the short window', [700, 900], 1_000, 300],
  ['the short window over', [700, 900], 1_300, 0],
  ['three in the long window', [1_000, 2_000, 3_000], 10_000, 9_000],
  ['both windows full: the longer wait', [9_000, 9_900, 9_950], 10_000, 17_000],
  ['a clock that was set back', [50_000, 60_000], 1_000, 600],
] as const;

describe('untilAllowed', () => {
  for (const [title, calls, now, expected] of CASES) {
    test(`${title}: ${expected} ms`, () => {
      assert.equal(untilAllowed(calls, TWO, now), expected);
    });
  }

  test('lets nothing through where nothing may be', () => {
    assert.equal(untilAllowed([], [{ count: 0, windowMs: 5 }], 1), 5);
  });

  test('never lets more through in a window than it holds, and is right about the time', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 80 }), (gaps) => {
        const let_through: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          const wait = untilAllowed(let_through, TWO, now);
          if (wait > 0) {
            assert.ok(untilAllowed(let_through, TWO, now + wait - 1) > 0);
            assert.equal(untilAllowed(let_through, TWO, now + wait), 0);
            continue;
          }
          let_through.push(now);
          for (const { count, windowMs } of TWO) {
            const recent = let_through.filter((at) => at > now - windowMs);
            assert.ok(recent.length <= count);
          }
        }
      }),
    );
  });
});
