import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseMaintenanceWindow } from '../../../app/domain/maintenance-window.ts';
import { isInWindow, type LocalTime, minutesUntilWindow } from '../../../app/domain/unit-policy.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const DAY = 1_440;
const WEEK = 7 * DAY;

/** Reads `Mon 21:59`. */
function localTime(raw: string): LocalTime {
  const [day = '', time = ''] = raw.split(' ');
  const [hour = Number.NaN, minute = Number.NaN] = time.split(':').map(Number);
  return { weekday: DAYS.indexOf(day), minuteOfDay: hour * 60 + minute };
}

/** The time so many minutes later. */
function later({ weekday, minuteOfDay }: LocalTime, minutes: number): LocalTime {
  const at = (weekday * DAY + minuteOfDay + minutes + WEEK) % WEEK;
  return { weekday: Math.floor(at / DAY), minuteOfDay: at % DAY };
}

function readWindows(raws: readonly string[]) {
  return raws.map((raw) => {
    const window = parseMaintenanceWindow(raw);
    assert.ok(window, raw);
    return window;
  });
}

type Row = readonly [now: string, windows: readonly string[], minutes: number];
const ROWS: readonly Row[] = [
  ['Wed 12:00', [], 0],
  ['Wed 02:00', ['02:00-04:00'], 0],
  ['Wed 03:59', ['02:00-04:00'], 0],
  ['Wed 01:59', ['02:00-04:00'], 1],
  ['Wed 00:00', ['02:00-04:00'], 120],
  ['Wed 04:00', ['02:00-04:00'], 22 * 60],
  ['Wed 23:59', ['02:00-04:00'], 121],
  ['Sat 23:59', ['02:00-04:00'], 121],
  ['Mon 21:00', ['Mon..Fri 22:00-02:00'], 60],
  ['Tue 01:59', ['Mon..Fri 22:00-02:00'], 0],
  ['Tue 02:00', ['Mon..Fri 22:00-02:00'], 20 * 60],
  ['Mon 01:00', ['Mon..Fri 22:00-02:00'], 21 * 60],
  ['Sat 01:59', ['Mon..Fri 22:00-02:00'], 0],
  ['Sat 02:00', ['Mon..Fri 22:00-02:00'], 2 * DAY + 20 * 60],
  ['Sat 22:00', ['Sun 00:00-24:00'], 120],
  ['Mon 00:00', ['Sun 00:00-24:00'], 6 * DAY],
  ['Sun 02:00', ['Sat 22:00-02:00'], 6 * DAY + 20 * 60],
  ['Sun 02:01', ['Sun 02:00-02:01'], WEEK - 1],
  ['Fri 12:00', ['Mon 02:00-03:00', 'Sat 04:00-05:00', 'Sun 00:00-01:00'], 16 * 60],
  ['Sat 04:30', ['Mon 02:00-03:00', 'Sat 04:00-05:00'], 0],
  ['Sat 05:00', ['Mon 02:00-03:00', 'Sat 04:00-05:00'], DAY + 21 * 60],
];
describe('the minutes until a window', () => {
  for (const [now, windows, minutes] of ROWS)
    test(`are ${minutes} on ${now} for ${windows.join(' and ') || 'no window at all'}`, () =>
      assert.equal(minutesUntilWindow(readWindows(windows), localTime(now)), minutes));

  const minute = fc.integer({ min: 0, max: DAY - 1 });
  const windows = fc.record({
    weekdays: fc.uniqueArray(fc.nat(6), { minLength: 1 }),
    startMinute: minute,
    endMinute: fc.integer({ min: 0, max: DAY }),
  });
  const times: fc.Arbitrary<LocalTime> = fc.record({ weekday: fc.nat(6), minuteOfDay: minute });

  test('are over when a window opens, and at no minute before', () => {
    fc.assert(
      fc.property(fc.array(windows, { minLength: 1, maxLength: 3 }), times, (some, now) => {
        const minutes = minutesUntilWindow(some, now);
        assert.ok(Number.isInteger(minutes) && minutes >= 0 && minutes < WEEK, `${minutes}`);
        assert.ok(isInWindow(some, later(now, minutes)), 'not in a window then');
        assert.equal(minutes === 0, isInWindow(some, now));
        for (let early = 1; early <= minutes; early++)
          assert.ok(!isInWindow(some, later(now, minutes - early)), `${early} minutes too late`);
      }),
    );
  });
});
