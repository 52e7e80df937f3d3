import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decideRateLimitWait } from '../../../app/domain/rate-limit.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe('a registry that limits the rate', () => {
  for (const [title, asked, before, expected] of [
    ['is left alone as long as it asks', 17 * SECOND, 0, 17 * SECOND],
    ['is left alone for a second at least', 0, 0, SECOND],
    ['is left alone for an hour at most', 9 * HOUR, 0, HOUR],
    ['that says nothing is left alone for a minute', undefined, 0, MINUTE],
    ['that says nothing again, for twice as long', undefined, 1, 2 * MINUTE],
    ['that says nothing five times, for a quarter of an hour', undefined, 4, 16 * MINUTE],
    ['that refuses who came when told is left alone for longer', SECOND, 1, MINUTE],
    ['and longer with each time', SECOND, 4, 8 * MINUTE],
    ['or as long as it asks, where that is more', HOUR - 1, 4, HOUR - 1],
    ['is given up after five times', SECOND, 5, undefined],
    ['is given up after five times that it said nothing', undefined, 5, undefined],
  ] as const)
    test(title, () => assert.equal(decideRateLimitWait(asked, before), expected));

  test('for anything it says: five waits, each between a second and an hour', () => {
    const asked = fc.option(fc.double({ min: 0, max: 1e15, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(asked, fc.nat(9), (retryAfterMs, before) => {
        const waitMs = decideRateLimitWait(retryAfterMs, before);
        assert.equal(waitMs === undefined, before >= 5);
        assert.ok(waitMs === undefined || (waitMs >= SECOND && waitMs <= HOUR), `${waitMs}`);
      }),
    );
  });
});
