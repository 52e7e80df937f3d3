import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cronTimes } from '../../../app/scheduler/cron-times.ts';

const at = (text: string) => Date.parse(text);

/** The times between two moments, forward and backward: both ways have to find the same. */
function between(expression: string, zone: string, from: string, to: string): string[] {
  const times = cronTimes(expression, zone);
  const forward: string[] = [];
  for (let due = times.next(at(from)); due !== undefined && due <= at(to); due = times.next(due)) {
    forward.push(new Date(due).toISOString().slice(5, 16));
  }
  const backward: string[] = [];
  for (
    let due = times.latest(at(to));
    due !== undefined && due > at(from);
    due = times.latest(due - 1)
  ) {
    backward.unshift(new Date(due).toISOString().slice(5, 16));
  }
  assert.deepEqual(backward, forward);
  return forward;
}

describe('the times of a cron expression', () => {
  test('take in the moment itself behind, and not ahead', () => {
    const times = cronTimes('17 3 * * *', 'UTC');
    const due = at('2026-01-02T03:17:00Z');
    assert.equal(times.latest(due), due);
    assert.equal(times.latest(due - 1), due - 86_400_000);
    assert.equal(times.next(due), due + 86_400_000);
    assert.equal(times.next(due - 1), due);
  });

  test('are those of the time zone', () => {
    assert.deepEqual(
      between('0 4 * * *', 'Asia/Kolkata', '2026-01-01T00:00Z', '2026-01-02T00:00Z'),
      ['01-01T22:30'],
    );
  });

  test('come once each day where clocks are put forward over them', () => {
    assert.deepEqual(
      between('30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00Z', '2026-03-31T00:00Z'),
      ['03-28T01:30', '03-29T01:00', '03-30T00:30'],
    );
  });

  test('come once where clocks are put back over them', () => {
    assert.deepEqual(
      between('30 2 * * *', 'Europe/Berlin', '2026-10-24T00:00Z', '2026-10-27T00:00Z'),
      ['10-24T00:30', '10-25T00:30', '10-26T01:30'],
    );
  });

  for (const [what, from] of [
    ['forward', '2026-03-29T00:00:00Z'],
    ['back', '2026-10-25T00:00:00Z'],
  ] as const) {
    test(`of what comes all the time go on evenly where clocks are put ${what}`, () => {
      const to = new Date(at(from) + 3 * 3_600_000).toISOString();
      assert.equal(between('*/15 * * * *', 'Europe/Berlin', from, to).length, 12);
    });
  }
});
