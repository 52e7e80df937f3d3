import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { capConnections, isTooSlow } from '../../../app/domain/connection-limits.ts';

describe('how many connections there may be', () => {
  test('as many as are wanted where there are descriptors for all', () => {
    assert.equal(capConnections(1000, 524_288), 1000);
  });

  test('so few that descriptors are left for the work itself', () => {
    assert.equal(capConnections(1000, 1024), 768);
  });

  test('half of them where there are very few', () => {
    assert.equal(capConnections(1000, 64), 32);
    assert.equal(capConnections(1000, 1), 1);
  });

  test('as many as are wanted where nobody knows the limit', () => {
    assert.equal(capConnections(1000, undefined), 1000);
  });
});

describe('a request that arrives', () => {
  const limits = { requestTimeoutMs: 30_000, minBodyRate: 500 };

  test('may pause in its first seconds', () => {
    assert.equal(isTooSlow({ elapsedMs: 4_999, bytes: 0 }, limits), false);
  });

  test('has to come with its rate after that', () => {
    assert.equal(isTooSlow({ elapsedMs: 6_000, bytes: 2_999 }, limits), true);
    assert.equal(isTooSlow({ elapsedMs: 6_000, bytes: 3_000 }, limits), false);
  });

  test('has to be there in its time, however fast', () => {
    assert.equal(isTooSlow({ elapsedMs: 30_001, bytes: 1e9 }, limits), true);
  });

  test('may come at any rate where none is asked for', () => {
    assert.equal(isTooSlow({ elapsedMs: 29_000, bytes: 1 }, { ...limits, minBodyRate: 0 }), false);
  });
});
