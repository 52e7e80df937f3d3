import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isTag, parseImageReference, tagOf } from '../../../app/domain/image-reference.ts';
import {
  findHeld,
  findSurplus,
  ROLLBACK_REPOSITORY,
  rollbackName,
} from '../../../app/domain/rollback-tag.ts';

/** The characters of the name of a unit, systemd.unit(5). */
const CHARACTERS = [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  ...':-_.\\@',
];
/** As long as systemd allows; many are alike, and many of characters that are written in another way. */
const units = fc
  .array(fc.oneof(fc.constantFrom(...CHARACTERS), fc.constantFrom(...'a2d-_.')), {
    minLength: 1,
    maxLength: 247,
    size: 'max',
  })
  .map((characters) => `${characters.join('')}.service`);
const numbers = fc.integer({ min: 1, max: 999_999_999 });

type Row = readonly [unit: string, tag: string];
const ROWS: readonly Row[] = [
  ['web.service', 'web.service-7'],
  ['web-2.service', 'web_2d2.service-7'],
  ['my_web@1.service', 'my_5fweb_401.service-7'],
  ['a\\x2db:c.service', 'a_5cx2db_3ac.service-7'],
  ['.hidden.service', '_2ehidden.service-7'],
];

describe('the name of a held image', () => {
  for (const [unit, tag] of ROWS)
    test(`of ${unit} ends in ${tag}`, () =>
      assert.equal(rollbackName(unit, 7), `${ROLLBACK_REPOSITORY}:${tag}`));

  test('can be had by podman, whatever the unit is called', () => {
    fc.assert(
      fc.property(units, numbers, (unit, number) => {
        const name = rollbackName(unit, number);
        const image = parseImageReference(name);
        assert.ok(image, name);
        assert.ok(isTag(tagOf(image)), name);
        assert.equal(`${image.registry}/${image.repository}`, ROLLBACK_REPOSITORY);
      }),
    );
  });

  test('is found again for its unit', () => {
    fc.assert(
      fc.property(units, numbers, (unit, number) => {
        const name = rollbackName(unit, number);
        const held = findHeld(unit, [{ id: 'i1', names: [name] }]);
        assert.deepEqual(held, [{ name, number, imageId: 'i1' }]);
      }),
    );
  });

  test('is never one of another unit', () => {
    fc.assert(
      fc.property(units, units, numbers, (one, other, number) => {
        fc.pre(one !== other);
        assert.deepEqual(findHeld(other, [{ id: 'i', names: [rollbackName(one, number)] }]), []);
      }),
    );
  });

  test('is never one of a unit that differs in one character only', () => {
    const place = fc.nat(246);
    fc.assert(
      fc.property(units, place, fc.constantFrom(...CHARACTERS), numbers, (unit, at, put, n) => {
        const other = unit.slice(0, at % unit.length) + put + unit.slice((at % unit.length) + 1);
        fc.pre(other !== unit);
        assert.deepEqual(findHeld(other, [{ id: 'i', names: [rollbackName(unit, n)] }]), []);
      }),
    );
  });

  test('of a unit whose name goes on where another ends is not one of that', () => {
    const names = ['web-1.service', 'web.service-1', 'web.service1', 'web_2d1.service'];
    for (const name of names)
      assert.deepEqual(findHeld('web', [{ id: 'i', names: [rollbackName(name, 1)] }]), [], name);
  });

  test('tells long names apart that differ at their end', () => {
    const [one, other] = ['1', '2'].map((end) => rollbackName(`${'x'.repeat(246)}${end}`, 1));
    assert.notEqual(one, other);
  });

  test('stays as it was, or what older versions held would be lost', () => {
    assert.equal(
      rollbackName(`${'x'.repeat(200)}.service`, 1),
      `${ROLLBACK_REPOSITORY}:${'x'.repeat(93)}_2fddc1dd1d5e8e40-1`,
    );
  });
});

describe('the images that are held for a unit', () => {
  const name = (number: number) => rollbackName('web.service', number);

  test('come newest first, by number and not by letter', () => {
    const images = [
      { id: 'i1', names: [name(9)] },
      { id: 'i2', names: ['ghcr.io/o/web:main', name(10), name(2)] },
      { id: 'i3', names: [] },
      { id: 'i4', names: [name(100)] },
    ];
    assert.deepEqual(
      findHeld('web.service', images).map(({ number, imageId }) => [number, imageId]),
      [
        [100, 'i4'],
        [10, 'i2'],
        [9, 'i1'],
        [2, 'i2'],
      ],
    );
  });

  const foreign = [
    ...['', '0', '01', '1a', '-1', '+1', '1.0', ' 1', '1 ', '1000000000', 'latest'].map(
      (end) => `${ROLLBACK_REPOSITORY}:web.service-${end}`,
    ),
    ...[
      'web.service-1',
      'localhost/web.service-1',
      `${ROLLBACK_REPOSITORY}:web.service`,
      `${ROLLBACK_REPOSITORY}:web.service-1-1`,
      `${ROLLBACK_REPOSITORY}:WEB.service-1`,
      `${ROLLBACK_REPOSITORY}/more:web.service-1`,
      `ghcr.io/${ROLLBACK_REPOSITORY}:web.service-1`,
    ],
  ];
  for (const one of foreign)
    test(`are not those that somebody called ${one}`, () =>
      assert.deepEqual(findHeld('web.service', [{ id: 'i1', names: [one] }]), []));

  for (const [keep, surplus] of [
    [1, [2, 1]],
    [2, [1]],
    [3, []],
    [20, []],
  ] as const)
    test(`of three, ${surplus.length} may be let go of where ${keep} are kept: the oldest`, () => {
      const held = findHeld('web.service', [{ id: 'i1', names: [1, 2, 3].map(name) }]);
      const numbers = findSurplus(held, keep).map(({ number }) => number);
      assert.deepEqual(numbers, surplus);
    });
});
