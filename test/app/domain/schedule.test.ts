import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  delayOf,
  everyInterval,
  findDue,
  findNextRun,
  shareOf,
  type Timing,
} from '../../../app/domain/schedule.ts';

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;

const timing = (over: Partial<Timing> = {}): Timing => ({
  times: everyInterval(QUARTER),
  share: 0.5,
  spreadMs: MINUTE,
  ...over,
});

/** What a process that looks at each of these moments serves, from `last` on. */
function serve(job: Timing, last: number, moments: readonly number[]): number[] {
  const served: number[] = [];
  let lastDue = last;
  for (const now of moments) {
    const due = findDue(job, lastDue, now);
    if (due === undefined) continue;
    served.push(due);
    lastDue = due;
  }
  return served;
}

describe('what is due', () => {
  test('is a time that has come and was not served, its delay behind it', () => {
    const job = timing();
    assert.equal(delayOf(job, QUARTER), MINUTE / 2);
    assert.equal(findDue(job, 0, QUARTER), undefined);
    assert.equal(findDue(job, 0, QUARTER + MINUTE / 2), QUARTER);
    assert.equal(findDue(job, QUARTER, QUARTER + MINUTE / 2), undefined);
  });

  test('is one of those that were missed, the last', () => {
    const now = 100 * QUARTER + 5 * MINUTE;
    assert.deepEqual(serve(timing(), 3 * QUARTER, [now, now, now + 1]), [100 * QUARTER]);
  });

  test('is nothing twice, whoever looks however often', () => {
    const looks = fc.array(fc.integer({ min: 0, max: 40 * QUARTER }), { maxLength: 60 });
    const rising = looks.map((moments) => moments.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(rising, fc.double({ min: 0, max: 0.99, noNaN: true }), (moments, share) => {
        const served = serve(timing({ share }), 0, moments);
        assert.deepEqual(
          served,
          [...new Set(served)].toSorted((a, b) => a - b),
        );
      }),
    );
  });

  test('comes no later than two periods after the last one, wherever the clock is set', () => {
    const jumps = fc.array(
      fc.record({
        passes: fc.integer({ min: 0, max: 5 * QUARTER }),
        jump: fc.integer({ min: -1e12, max: 1e12 }),
      }),
      { minLength: 1, maxLength: 10 },
    );
    fc.assert(
      fc.property(jumps, (steps) => {
        const job = timing();
        let wall = 2e12;
        let lastDue = findDue(job, 0, wall) ?? 0;
        let sinceMs = 0;
        for (const { passes, jump } of steps) {
          // It is looked at once a minute, as the steady clock goes.
          for (let ms = 0; ms < passes; ms += MINUTE) {
            wall += MINUTE;
            sinceMs += MINUTE;
            const due = findDue(job, lastDue, wall);
            if (due === undefined) continue;
            lastDue = due;
            sinceMs = 0;
          }
          assert.ok(sinceMs <= 2 * QUARTER + 2 * MINUTE, `nothing for ${sinceMs} ms`);
          wall += jump;
        }
      }),
    );
  });

  test('was served a moment ago where the clock is set back by less than a period', () => {
    const last = 100 * QUARTER;
    assert.equal(findDue(timing(), last, last - QUARTER / 2), undefined);
    assert.equal(findNextRun(timing(), last, last - QUARTER / 2), last + QUARTER + MINUTE / 2);
  });

  test('is due at once where the record is from a future that is too far away', () => {
    const now = 100 * QUARTER + 5 * MINUTE;
    assert.equal(findDue(timing(), now + 1e12, now), 100 * QUARTER);
  });
});

describe('the next run', () => {
  test('is the moment at which it then is due', () => {
    const moment = fc.integer({ min: 1e12, max: 3e12 });
    const share = fc.double({ min: 0, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(moment, moment, share, (last, now, part) => {
        const job = timing({ share: part });
        const lastDue = job.times.latest(last) ?? 0;
        const next = findNextRun(job, lastDue, now) ?? Number.NaN;
        assert.ok(next >= now);
        assert.notEqual(findDue(job, lastDue, next), undefined);
        if (next > now) assert.equal(findDue(job, lastDue, next - 1), undefined);
      }),
    );
  });

  test('stays what was said, until it comes', () => {
    const job = timing();
    const said = findNextRun(job, QUARTER, QUARTER + MINUTE);
    for (let now = QUARTER + MINUTE; now < 2 * QUARTER + MINUTE / 2; now += MINUTE) {
      assert.equal(findNextRun(job, QUARTER, now), said);
    }
  });

  test('is none where no time comes any more', () => {
    const times = { latest: () => QUARTER, next: () => undefined };
    assert.equal(findNextRun(timing({ times }), QUARTER, QUARTER), undefined);
  });
});

describe('the share of a host', () => {
  test('is the same each time, and spreads hosts and jobs evenly', () => {
    assert.equal(shareOf('a', 'prune'), shareOf('a', 'prune'));
    assert.notEqual(shareOf('a', 'prune'), shareOf('a', 'backup'));
    const tenths = new Array<number>(10).fill(0);
    for (let host = 0; host < 1000; host++) {
      const tenth = Math.floor(shareOf(`host-${host}`, 'auto-update') * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) assert.ok(count > 60 && count < 140, tenths.join(' '));
  });
});
