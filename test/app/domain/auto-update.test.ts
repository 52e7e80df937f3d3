import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decideAutoUpdate, type UpdateSituation } from '../../../app/domain/auto-update.ts';
import type { TaskStatus } from '../../../app/domain/task.ts';

const HOUR = 3_600_000;
const NOW = 1_000 * HOUR;
const WANTED = 'sha256:new';

const decide = (over: Partial<UpdateSituation> = {}) =>
  decideAutoUpdate(
    { wantedDigest: WANTED, isQuarantined: false, newest: undefined, last: undefined, ...over },
    NOW,
  );

const last = (status: TaskStatus, hoursAgo: number, registryDigest: string | null = WANTED) => ({
  last: { status, registryDigest, endedAtMs: NOW - hoursAgo * HOUR },
});

describe('a unit that has something newer', () => {
  test('is deployed', () => assert.equal(decide(), 'deploy'));

  for (const status of ['pending', 'running'] as const) {
    test(`is left to the task that is ${status}`, () => {
      assert.equal(decide({ newest: { status }, isQuarantined: true }), 'open');
    });
  }

  test('is not deployed where that image has failed for it', () => {
    assert.equal(decide({ isQuarantined: true, newest: { status: 'failed' } }), 'quarantined');
  });

  for (const status of ['skipped', 'cancelled'] as const) {
    test(`whose last deployment of it was ${status} is looked at again after a day`, () => {
      assert.equal(decide(last(status, 23)), 'held');
      assert.equal(decide(last(status, 24)), 'deploy');
      assert.equal(decide(last(status, 1, 'sha256:other')), 'deploy');
    });
  }

  for (const status of ['failed', 'succeeded', 'unknown'] as const) {
    test(`whose last deployment of it was ${status} is deployed again`, () => {
      assert.equal(decide(last(status, 0)), 'deploy');
    });
  }
});
