import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTimeSpan } from '../../../shared/contract/time-span.ts';

const ROWS: readonly (readonly [raw: string, milliseconds: number | undefined])[] = [
  ['0', 0],
  ['10', 10_000],
  ['10s', 10_000],
  ['10 sec', 10_000],
  ['1min 30s', 90_000],
  ['1min30s', 90_000],
  ['30s 1m', 90_000],
  ['2h', 7_200_000],
  ['2 hours', 7_200_000],
  ['500ms', 500],
  ['1s 1msec', 1_001],
  ['1.5s', 1_500],
  ['7d', 604_800_000],
  ['1w', 604_800_000],
  ['1M', 2_630_016_000],
  ['1y', 31_557_600_000],
  [' 5 ', 5_000],
  ['1 2', 3_000],
  ['', undefined],
  ['s', undefined],
  ['-1', undefined],
  ['+1', undefined],
  ['1e3', undefined],
  ['1.', undefined],
  ['.5', undefined],
  ['1,5s', undefined],
  ['10S', undefined],
  ['10us', undefined],
  ['10 s x', undefined],
  ['infinity', undefined],
  ['toString', undefined],
];
for (const [raw, milliseconds] of ROWS)
  test(`${JSON.stringify(raw)} is ${milliseconds ?? 'no time span'}`, () =>
    assert.equal(parseTimeSpan(raw), milliseconds));

test('a time span written in parts is their sum, with or without blanks', () => {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ] as const;
  fc.assert(
    fc.property(fc.nat(31_536_000_000), fc.constantFrom('', ' '), (milliseconds, blank) => {
      let rest = milliseconds;
      const parts = units.map(([unit, factor]) => {
        const amount = Math.floor(rest / factor);
        rest -= amount * factor;
        return `${amount}${blank}${unit}`;
      });
      assert.equal(parseTimeSpan(parts.join(blank)), milliseconds);
    }),
  );
});
