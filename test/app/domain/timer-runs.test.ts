import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readTimerRuns } from '../../../app/domain/timer-runs.ts';

const ONE = '1'.repeat(32);
const TWO = '2'.repeat(32);

const entry = (invocation: string, second: number, message: unknown, more: object = {}) =>
  JSON.stringify({
    __REALTIME_TIMESTAMP: String(second * 1_000_000),
    _SYSTEMD_INVOCATION_ID: invocation,
    MESSAGE: message,
    ...more,
  });

/** As podman 4.3.1 and 5.4.2 print their table. */
const TABLE = [
  '            UNIT         CONTAINER           IMAGE                      POLICY      UPDATED',
  '            web.service  1bc30e56ec04 (web)  127.0.0.1:5000/web:stable  registry    true',
  '            db.service   20dd1e575a69 (db)   127.0.0.1:5000/db:stable   registry    rolled back',
];

describe('readTimerRuns', () => {
  test('reads the table of each run, its event and what podman complains of', () => {
    const journal = [
      entry(ONE, 10, '2026-11-27 00:26:58 system auto-update', { PODMAN_EVENT: 'auto-update' }),
      ...TABLE.map((line) => entry(ONE, 11, line)),
      entry(TWO, 20, 'Error: 1 error occurred:'),
      entry(TWO, 21, '\t* checking image updates for container x: connection refused'),
      'not json',
      '3',
      entry('no id', 30, 'x'),
      entry(TWO, 31, [1, 2, 3]),
    ].join('\n');
    const [first, second, ...more] = readTimerRuns(journal);
    assert.deepEqual(more, []);
    assert.deepEqual(
      [first?.invocation, first?.startedAtMs, first?.endedAtMs, first?.hasEvent, first?.errors],
      [ONE, 10_000, 11_000, true, []],
    );
    assert.deepEqual(first?.rows, [
      {
        ...{ unit: 'web.service', container: 'web', updated: 'true' },
        image: '127.0.0.1:5000/web:stable',
      },
      {
        ...{ unit: 'db.service', container: 'db', updated: 'rolled back' },
        image: '127.0.0.1:5000/db:stable',
      },
    ]);
    assert.deepEqual(
      [second?.hasEvent, second?.rows.length, second?.errors.length, second?.endedAtMs],
      [false, 0, 2, 21_000],
    );
  });

  test('is bounded', () => {
    const rows = Array.from({ length: 700 }, () => entry(ONE, 1, TABLE[1]));
    const errors = Array.from({ length: 40 }, () => entry(ONE, 2, `Error: ${'x'.repeat(900)}`));
    const [run] = readTimerRuns([...rows, ...errors].join('\n'));
    assert.deepEqual(
      [run?.rows.length, run?.errors.length, run?.errors[0]?.length],
      [500, 20, 500],
    );
  });

  test('reads nothing of an empty journal', () => {
    assert.deepEqual(readTimerRuns(''), []);
  });
});
