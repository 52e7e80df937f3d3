import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { findNotBefore } from '../../../app/deploy/find-not-before.ts';
import { parseMaintenanceWindow } from '../../../app/domain/maintenance-window.ts';
import type { DeployMode } from '../../../app/domain/unit-policy.ts';

const HOUR = 3_600_000;
/** A Wednesday. */
const NOON = Date.parse('2026-11-25T12:00:00Z');

/** Lets the clock of the host be of that zone until the test ends. */
function useTimeZone(context: TestContext, zone: string): void {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  context.after(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });
}

/** What the policy says at `now` of an image that was seen first at `seen`. */
function ask(
  minAgeMs: number,
  raws: readonly string[],
  seen: number,
  now: number,
  mode: DeployMode = 'deploy',
) {
  const windows = raws.map((raw) => {
    const window = parseMaintenanceWindow(raw);
    assert.ok(window, raw);
    return window;
  });
  return findNotBefore({ minAgeMs, windows, mode }, seen, now);
}

describe('the age of an image', () => {
  test('of 0 holds up nothing, also one that was seen just now', () => {
    assert.equal(ask(0, [], NOON, NOON), undefined);
  });

  test('holds it up until it has that age, to the millisecond', () => {
    const found = ask(HOUR, [], NOON, NOON);
    const why = 'is too new until 2026-11-25T13:00:00.000Z';
    assert.deepEqual(found, { why, atMs: NOON + HOUR });
    assert.deepEqual(ask(HOUR, [], NOON, NOON + HOUR - 1), found);
    assert.equal(ask(HOUR, [], NOON, NOON + HOUR), undefined);
  });

  test('holds it up inside of a window, too', (t) => {
    useTimeZone(t, 'UTC');
    assert.equal(ask(HOUR, ['11:00-13:00'], NOON, NOON)?.atMs, NOON + HOUR);
  });

  test('counts first: the window is looked at when it is old enough', (t) => {
    useTimeZone(t, 'UTC');
    const windows = ['22:00-23:00'];
    const first = ask(HOUR, windows, NOON, NOON);
    assert.equal(first?.atMs, NOON + HOUR);
    assert.equal(ask(HOUR, windows, NOON, NOON + HOUR)?.atMs, NOON + 10 * HOUR);
  });
});

type Row = readonly [zone: string, now: string, window: string, opens: string | undefined];
const ROWS: readonly Row[] = [
  ['UTC', '2026-11-25T12:00:00.000Z', '11:00-13:00', undefined],
  ['UTC', '2026-11-25T11:59:59.999Z', '12:00-13:00', '2026-11-25T12:00:00.000Z'],
  ['UTC', '2026-11-25T12:00:00.000Z', '12:00-13:00', undefined],
  ['UTC', '2026-11-25T12:59:59.999Z', '12:00-13:00', undefined],
  ['UTC', '2026-11-25T13:00:00.000Z', '12:00-13:00', '2026-11-26T12:00:00.000Z'],
  ['UTC', '2026-11-25T12:34:56.789Z', 'Sun 22:00-02:00', '2026-11-29T22:00:00.000Z'],
  ['UTC', '2026-11-30T01:59:00.000Z', 'Sun 22:00-02:00', undefined],
  ['UTC', '2026-11-28T23:00:00.000Z', 'Sat 20:00-22:00', '2026-12-05T20:00:00.000Z'],
  ['Europe/Berlin', '2026-11-25T12:00:00.000Z', '13:00-14:00', undefined],
  ['Europe/Berlin', '2026-11-25T12:00:00.000Z', '14:00-15:00', '2026-11-25T13:00:00.000Z'],
  ['Asia/Kolkata', '2026-11-25T12:00:30.000Z', '18:00-19:00', '2026-11-25T12:30:00.000Z'],
  ['Pacific/Auckland', '2026-11-25T12:00:00.000Z', 'Thu 01:00-02:00', undefined],
  ['America/New_York', '2026-11-25T04:00:00.000Z', 'Tue 22:00-24:00', undefined],
];
describe('a window', () => {
  for (const [zone, now, window, opens] of ROWS)
    test(`${window} at ${now}, ${zone}: ${opens ?? 'now'}`, (t) => {
      useTimeZone(t, zone);
      const found = ask(0, [window], 0, Date.parse(now));
      const expected = opens && { why: `waits for its window, ${opens}`, atMs: Date.parse(opens) };
      assert.deepEqual(found, expected);
    });

  test('that opens behind a change of the clock is met in the end, by asking again', (t) => {
    useTimeZone(t, 'Europe/Berlin');
    // The clock goes from 03:00 back to 02:00 on 25 October, from 02:00 to 03:00 on 29 March.
    for (const from of ['2026-10-24T20:00:00Z', '2026-03-28T20:00:00Z']) {
      let nowMs = Date.parse(from);
      let asked = 0;
      for (let found = ask(0, ['05:00-07:00'], 0, nowMs); found; asked++) {
        assert.ok(found.atMs > nowMs);
        nowMs = found.atMs;
        found = ask(0, ['05:00-07:00'], 0, nowMs);
      }
      const local = new Date(nowMs);
      assert.ok(local.getHours() >= 5 && local.getHours() < 7, local.toString());
      assert.ok(asked <= 2, `asked ${asked} times`);
    }
  });
});

test('an image that is only pulled waits for its age, but for no window', (t) => {
  useTimeZone(t, 'UTC');
  assert.equal(ask(0, ['22:00-23:00'], NOON, NOON, 'stage'), undefined);
  assert.ok(ask(0, ['22:00-23:00'], NOON, NOON));
  assert.equal(ask(HOUR, [], NOON, NOON, 'stage')?.atMs, NOON + HOUR);
});
