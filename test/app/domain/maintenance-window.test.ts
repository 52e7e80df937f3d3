import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseMaintenanceWindow } from '../../../app/domain/maintenance-window.ts';
import { isInWindow } from '../../../app/domain/unit-policy.ts';

const ALL = [0, 1, 2, 3, 4, 5, 6];
type Row = readonly [raw: string, weekdays: readonly number[], start: number, end: number];
const GOOD: readonly Row[] = [
  ['02:00-04:00', ALL, 120, 240],
  ['02:00 - 04:30', ALL, 120, 270],
  ['Mon..Fri 22:00-02:00', [1, 2, 3, 4, 5], 1320, 120],
  ['Sat,Sun 00:00-24:00', [0, 6], 0, 1440],
  ['Fri..Mon 01:00-02:00', [0, 1, 5, 6], 60, 120],
  ['Mon..Tue,Sat,Mon 01:00-02:00', [1, 2, 6], 60, 120],
  ['Wed..Wed 01:00-02:00', [3], 60, 120],
  ['sunday,THU 23:59-00:00', [0, 4], 1439, 0],
];
for (const [raw, weekdays, startMinute, endMinute] of GOOD)
  test(`${raw} is a window`, () =>
    assert.deepEqual(parseMaintenanceWindow(raw), { weekdays, startMinute, endMinute }));

const BAD = [
  ...['', '02:00', '2:00-4:00', '02:00-02:00', '24:00-02:00', '00:00-24:01', '02:60-04:00'],
  ...['25:00-26:00', 'Mon', 'Mon..Fri', 'Mon.. 01:00-02:00', '..Fri 01:00-02:00'],
  ...['Mon..Tue..Wed 01:00-02:00', 'Mon, 01:00-02:00', 'Mo 01:00-02:00', 'Mon-Fri 01:00-02:00'],
  ...['Mon Tue 01:00-02:00', '01:00-02:00 Mon', '01:00-02:00,03:00-04:00'],
];
for (const raw of BAD)
  test(`${JSON.stringify(raw)} is no window`, () =>
    assert.equal(parseMaintenanceWindow(raw), undefined));

describe('a local time', () => {
  const ROWS: readonly (readonly [string, weekday: number, minute: number, isIn: boolean])[] = [
    ['02:00-04:00', 3, 119, false],
    ['02:00-04:00', 3, 120, true],
    ['02:00-04:00', 3, 239, true],
    ['02:00-04:00', 3, 240, false],
    ['Mon..Fri 22:00-02:00', 1, 60, false],
    ['Mon..Fri 22:00-02:00', 1, 1320, true],
    ['Mon..Fri 22:00-02:00', 2, 119, true],
    ['Mon..Fri 22:00-02:00', 2, 120, false],
    ['Mon..Fri 22:00-02:00', 6, 60, true],
    ['Mon..Fri 22:00-02:00', 6, 1320, false],
    ['Sat 22:00-02:00', 0, 60, true],
    ['Sat,Sun 00:00-24:00', 0, 1439, true],
    ['Sat,Sun 00:00-24:00', 1, 0, false],
    ['Sun 22:00-00:00', 0, 1439, true],
    ['Sun 22:00-00:00', 1, 0, false],
  ];
  for (const [raw, weekday, minuteOfDay, isIn] of ROWS)
    test(`day ${weekday}, minute ${minuteOfDay} is ${isIn ? '' : 'not '}in ${raw}`, () => {
      const window = parseMaintenanceWindow(raw);
      assert.ok(window);
      assert.equal(isInWindow([window], { weekday, minuteOfDay }), isIn);
    });

  test('is always in no window at all', () => {
    assert.equal(isInWindow([], { weekday: 0, minuteOfDay: 0 }), true);
  });

  test('is in one of several', () => {
    const windows = ['01:00-02:00', '03:00-04:00'].flatMap((raw) => {
      return parseMaintenanceWindow(raw) ?? [];
    });
    const at = (minuteOfDay: number) => isInWindow(windows, { weekday: 4, minuteOfDay });
    assert.deepEqual([at(60), at(150), at(200)], [true, false, true]);
  });

  test('is in a window for as many minutes of the week as the window is long', () => {
    const minute = fc.integer({ min: 0, max: 1439 });
    const days = fc.uniqueArray(fc.constantFrom(...ALL), { minLength: 1 });
    fc.assert(
      fc.property(days, minute, minute, (weekdays, startMinute, endMinute) => {
        fc.pre(startMinute !== endMinute);
        let count = 0;
        for (const weekday of ALL)
          for (let minuteOfDay = 0; minuteOfDay < 1440; minuteOfDay++)
            if (isInWindow([{ weekdays, startMinute, endMinute }], { weekday, minuteOfDay }))
              count++;
        assert.equal(count, weekdays.length * ((endMinute - startMinute + 1440) % 1440));
      }),
      { numRuns: 20 },
    );
  });
});
