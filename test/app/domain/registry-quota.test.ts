import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type HostLimit,
  noteAnswer,
  parseQuota,
  type Quota,
  UNLIMITED,
} from '../../../app/domain/registry-quota.ts';

const NOW = 1_000_000;
const quota = (limit: number, remaining: number, over: Partial<Quota> = {}): Quota => ({
  ...{ limit, remaining, windowS: null, resetS: null },
  ...over,
});

describe('a quota', () => {
  const rows: readonly (readonly [string, Record<string, string>, Quota | undefined])[] = [
    [
      'of Docker Hub',
      { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' },
      quota(100, 76, { windowS: 21_600 }),
    ],
    [
      'with several policies',
      {
        'ratelimit-limit': '10, 10;w=1, 50;w=60',
        'ratelimit-remaining': '9',
        'ratelimit-reset': '7',
      },
      quota(10, 9, { resetS: 7 }),
    ],
    ['without one of the two', { 'ratelimit-limit': '100' }, undefined],
    ['that is no number', { 'ratelimit-limit': 'many', 'ratelimit-remaining': '1' }, undefined],
    ['that is negative', { 'ratelimit-limit': '-1', 'ratelimit-remaining': '1' }, undefined],
    ['that is not there', {}, undefined],
  ];
  for (const [title, headers, expected] of rows) {
    test(title, () =>
      assert.deepEqual(
        parseQuota((name) => headers[name]),
        expected,
      ),
    );
  }
});

describe('a host is left alone', () => {
  const limited = { status: 429, retryAfterMs: undefined, quota: undefined };
  const well = { status: 200, retryAfterMs: undefined, quota: undefined };

  test('as long as it says, an hour at most', () => {
    const pause = (retryAfterMs: number) =>
      noteAnswer(UNLIMITED, { ...limited, retryAfterMs }, NOW).pausedUntil - NOW;
    assert.deepEqual([pause(0), pause(5_000), pause(10 ** 9)], [0, 5_000, 3_600_000]);
  });

  test('for a minute where it does not say, twice as long each further time', () => {
    let limit: HostLimit = UNLIMITED;
    const pauses: number[] = [];
    let now = NOW;
    for (let time = 0; time < 8; time++) {
      limit = noteAnswer(limit, limited, now);
      pauses.push((limit.pausedUntil - now) / 60_000);
      now = limit.pausedUntil;
    }
    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    const after = noteAnswer(limit, well, now);
    assert.equal(after.refusals, 0);
    assert.equal(noteAnswer(after, limited, now).pausedUntil - now, 60_000);
  });

  test('and an answer that was under way does not end that', () => {
    const paused = noteAnswer(UNLIMITED, limited, NOW);
    assert.deepEqual(noteAnswer(paused, well, NOW + 1), paused);
  });

  test('while less than a tenth of what it allows is left', () => {
    const pause = (left: Quota) =>
      noteAnswer(UNLIMITED, { ...well, quota: left }, NOW).pausedUntil - NOW;
    assert.ok(pause(quota(100, 10)) < 0);
    assert.equal(pause(quota(100, 9, { resetS: 30 })), 30_000);
    assert.equal(pause(quota(100, 9, { resetS: 86_400 })), 3_600_000);
    assert.equal(pause(quota(100, 9, { windowS: 21_600 })), 900_000);
    assert.equal(pause(quota(100, 0, { windowS: 60 })), 60_000);
  });

  test('and what it last said of its quota stays known', () => {
    const known = noteAnswer(UNLIMITED, { ...well, quota: quota(100, 50) }, NOW);
    assert.deepEqual(noteAnswer(known, well, NOW).quota, quota(100, 50));
  });
});
