import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ALL_ADDRESSES,
  type CredentialTally,
  countFailure,
  emptyTally,
  isKnownAddress,
  isStale,
  limitedUntil,
} from '../../../app/domain/failed-credentials.ts';

const LIMITS = { perAddress: 3, total: 5, windowMs: 1_000 };
const NOW = 1_800_000_000_000;

function failed(times: number, address = 'a'): CredentialTally {
  let tally = emptyTally('admin', address);
  for (let at = 0; at < times; at++) tally = countFailure(tally, LIMITS.windowMs, NOW + at);
  return tally;
}

describe('credentials that fail', () => {
  test('are too many when there are as many as may be, until their window is over', () => {
    assert.equal(limitedUntil(failed(2), LIMITS, NOW + 5), undefined);
    assert.equal(limitedUntil(failed(3), LIMITS, NOW + 5), NOW + 1_000);
    assert.equal(limitedUntil(failed(3), LIMITS, NOW + 999), NOW + 1_000);
    assert.equal(limitedUntil(failed(3), LIMITS, NOW + 1_000), undefined);
  });

  test('of all addresses have a limit of their own', () => {
    assert.equal(limitedUntil(failed(4, ALL_ADDRESSES), LIMITS, NOW + 5), undefined);
    assert.equal(limitedUntil(failed(5, ALL_ADDRESSES), LIMITS, NOW + 5), NOW + 1_000);
  });

  test('begin a window anew when it is over, and when the clock was set back', () => {
    const { since, count } = countFailure(failed(3), LIMITS.windowMs, NOW + 1_000);
    assert.deepEqual([since, count], [NOW + 1_000, 1]);
    const back = countFailure(failed(3), LIMITS.windowMs, NOW - 1);
    assert.deepEqual([back.since, back.count], [NOW - 1, 1]);
    assert.equal(limitedUntil(failed(3), LIMITS, NOW - 1), undefined);
  });

  test('are forgiven an address that has shown a good one within a day', () => {
    const day = 24 * 3_600_000;
    const tally = { ...failed(3), good_at: NOW };
    assert.equal(isKnownAddress(tally, NOW + day - 1), true);
    assert.equal(isKnownAddress(tally, NOW + day), false);
    assert.equal(isKnownAddress(failed(3), NOW), false);
    assert.equal(isStale(tally, LIMITS.windowMs, NOW + 5_000), false);
    assert.equal(isStale(failed(3), LIMITS.windowMs, NOW + 5_000), true);
    assert.equal(isStale(failed(3), LIMITS.windowMs, NOW + 5), false);
  });
});
