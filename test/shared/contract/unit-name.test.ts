import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseUnitName } from '../../../shared/contract/unit-name.ts';

const ROWS: readonly (readonly [raw: string, name: string | undefined])[] = [
  ['web', 'web.service'],
  ['web.service', 'web.service'],
  [' web \n', 'web.service'],
  ['app@1', 'app@1.service'],
  ['app@a:b-c_d.e', 'app@a:b-c_d.e.service'],
  ['dev\\x2dsda', 'dev\\x2dsda.service'],
  ['Web_1', 'Web_1.service'],
  ['_web', '_web.service'],
  ['9web', '9web.service'],
  ['web.timer', 'web.timer.service'],
  ['x'.repeat(247), `${'x'.repeat(247)}.service`],
  ['x'.repeat(248), undefined],
  ['', undefined],
  ['.service', undefined],
  ['-web', undefined],
  ['--now', undefined],
  ['.web', undefined],
  ['@web', undefined],
  ['app@', undefined],
  ['app@.service', undefined],
  ['../web', undefined],
  ['a/b', undefined],
  ['a b', undefined],
  ['a\nb', undefined],
  ['wéb', undefined],
  ['web;id', undefined],
  ['$(id)', undefined],
  ['web\0', undefined],
];
for (const [raw, name] of ROWS)
  test(`${JSON.stringify(raw.slice(0, 30))} (${raw.length}) is ${name ? 'a unit' : 'no unit'}`, () =>
    assert.equal(parseUnitName(raw), name));

test('a unit name is never an option, a path or a glob, and reads back as itself', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (raw) => {
      const name = parseUnitName(raw);
      if (name === undefined) return;
      assert.match(name, /^[^-][^/*?[\]\s]*\.service$/);
      assert.equal(parseUnitName(name), name);
    }),
  );
});
