import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  absent,
  asObject,
  flag,
  list,
  nullable,
  oneOf,
  parseJson,
  pattern,
  type Reader,
  shape,
  text,
  whole,
} from '../../../shared/contract/read-shape.ts';

const abc = oneOf(['a', 'b', 'c']);
const point = shape({ x: whole(), note: absent(nullable(text(3)), null) });

type Row = readonly [title: string, reader: Reader<unknown>, raw: unknown, value: unknown];

const READ: readonly Row[] = [
  ['an empty text', text(0), '', ''],
  ['the longest text', text(3), 'grü', 'grü'],
  ['a text that fits', pattern(/^a+$/), 'aa', 'aa'],
  ['zero', whole(), 0, 0],
  ['the least number', whole(-3, 3), -3, -3],
  ['the greatest number', whole(-3, 3), 3, 3],
  ['the greatest exact number', whole(), Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['true', flag, true, true],
  ['false, which is a value', flag, false, false],
  ['one of a list', abc, 'b', 'b'],
  ['null where it may be', nullable(flag), null, null],
  ['what is not null where null may be', nullable(flag), false, false],
  ['an empty list', list(flag, 0), [], []],
  ['the longest list', list(whole(), 2), [1, 2], [1, 2]],
  ['an object without what it says besides', point, { x: 1, note: 'a', y: 2 }, { x: 1, note: 'a' }],
  ['an object without a field that may be absent', point, { x: 1 }, { x: 1, note: null }],
  ['a field that is undefined as absent', point, { x: 1, note: undefined }, { x: 1, note: null }],
];
describe('a reader reads', () => {
  for (const [title, reader, raw, value] of READ)
    test(title, () => assert.deepEqual(reader(raw), value));
});

const REFUSED: readonly (readonly [title: string, reader: Reader<unknown>, raw: unknown])[] = [
  ['a text that is too long', text(3), 'four'],
  ['a number in place of a text', text(3), 1],
  ['a text object', text(3), new String('a')],
  ['a text that does not fit', pattern(/^a+$/), 'b'],
  ['a text list that fits as a text', pattern(/^a+$/), ['aa']],
  ['a number that is too small', whole(1), 0],
  ['a number that is too great', whole(0, 3), 4],
  ['a part of a number', whole(), 1.5],
  ['a number that is none', whole(), Number.NaN],
  ['an endless number', whole(), Number.POSITIVE_INFINITY],
  ['a number beyond what is exact', whole(), 2 ** 53],
  ['digits in place of a number', whole(), '1'],
  ['a number in place of a flag', flag, 0],
  ['a word in place of a flag', flag, 'true'],
  ['another word than those of a list', abc, 'd'],
  ['a word that every object knows', abc, 'constructor'],
  ['undefined where null may be', nullable(flag), undefined],
  ['a list that is too long', list(whole(), 2), [1, 2, 3]],
  ['a list with one bad item', list(whole(), 3), [1, 'x', 3]],
  ['an object in place of a list', list(whole(), 3), { length: 0 }],
  ['an object without a field', point, { note: 'a' }],
  ['an object with a bad field', point, { x: -1 }],
  ['a field that may be absent but is bad', point, { x: 1, note: 'four' }],
  ['null in place of an object', point, null],
  ['a list in place of an object', point, [1]],
];
describe('a reader refuses', () => {
  for (const [title, reader, raw] of REFUSED)
    test(title, () => assert.equal(reader(raw), undefined));
});

test('a shape makes a new object, so that what was read cannot be changed from outside', () => {
  const raw = { x: 1, note: null };
  const read = point(raw);
  raw.x = 2;
  assert.equal(read?.x, 1);
});

test('whatever comes, reading it never throws', () => {
  const deep = shape({ a: list(nullable(point), 5), b: absent(abc, 'a') });
  fc.assert(fc.property(fc.anything(), (raw) => void deep(raw)));
  fc.assert(fc.property(fc.array(fc.anything()), (a) => void deep({ a })));
});

describe('asObject', () => {
  for (const raw of [null, undefined, 1, 'x', true, [], () => {}])
    test(`${JSON.stringify(raw) ?? typeof raw} is no object`, () =>
      assert.equal(asObject(raw), undefined));

  test('an object is itself', () => {
    const raw = { a: 1 };
    assert.equal(asObject(raw), raw);
  });
});

describe('parseJson', () => {
  for (const json of ['', '{', '{"a":1}x', "{'a':1}", '\u{feff}{}', 'NaN', 'undefined', '\0'])
    test(`${JSON.stringify(json)} is no JSON`, () => assert.equal(parseJson(json), undefined));

  test('a name that would change the prototype is a field like others', () => {
    const read = asObject(parseJson('{"__proto__":{"x":1}}'));
    assert.equal(read?.['x'], undefined);
    assert.equal(Object.getPrototypeOf(read), Object.prototype);
  });

  test('reads every JSON text', () => {
    fc.assert(
      fc.property(fc.json(), (json) => assert.deepEqual(parseJson(json), JSON.parse(json))),
    );
  });
});
