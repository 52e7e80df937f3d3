import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  HIGHER_TAGS,
  type HigherTags,
  higherTags,
  mayHaveHigher,
} from '../../../app/domain/tag-version.ts';

const TAGS = [
  ...['latest', 'main', '20240101', '1', '2', '3', '1.2', '1.3', '2.0', '1.2.3', '1.2.4', '1.2.10'],
  ...['1.3.0', '2.0.0', 'v1.2.4', '1.2.4-alpine', '1.3.0-alpine', '1.2.4-alpine3.19', '1.2.3-rc.1'],
  ...['1.2.4+b', '1.2.4_b', '1.2.3.1', '1.2.3.2', '01.2.5', 'V1.2.9'],
];

describe('higher tags are written like the own', () => {
  const rows: readonly (readonly [string, HigherTags, readonly string[]])[] = [
    ['1.2.3', 'patch', ['01.2.5', '1.2.10', '1.2.4'].toSorted()],
    ['1.2.3', 'minor', ['1.3.0', '1.2.10', '01.2.5', '1.2.4']],
    ['1.2.3', 'major', ['2.0.0', '1.3.0', '1.2.10', '01.2.5', '1.2.4']],
    ['1.2.3', 'off', []],
    ['1.2', 'patch', []],
    ['1.2', 'minor', ['1.3']],
    ['1.2', 'major', ['2.0', '1.3']],
    ['1', 'minor', []],
    ['1', 'major', ['3', '2']],
    ['v1.2.3', 'minor', ['v1.2.4']],
    ['V1.2.3', 'minor', ['V1.2.9']],
    ['1.2.3-alpine', 'minor', ['1.3.0-alpine', '1.2.4-alpine']],
    ['1.2.3-alpine3.19', 'minor', ['1.2.4-alpine3.19']],
    ['1.2.3.0', 'minor', ['1.2.3.2', '1.2.3.1']],
    ['1.2.3+b', 'minor', ['1.2.4+b']],
    ['1.3.0', 'minor', []],
    ['latest', 'major', []],
    ['20240101', 'major', []],
    ['1.2.3.4.5', 'major', []],
    ['sha-1.2', 'major', []],
  ];
  for (const [tag, wanted, higher] of rows) {
    test(`${tag}, ${wanted}`, () => {
      const found = higherTags(tag, TAGS, wanted);
      const isPatch = wanted === 'patch';
      assert.deepEqual(isPatch ? found.toSorted() : found, higher);
      if (higher.length > 0) assert.ok(mayHaveHigher(tag, wanted));
    });
  }
});

test('at most 20 are told, the highest', () => {
  const tags = Array.from({ length: 100 }, (_, patch) => `1.0.${patch}`);
  const found = higherTags('1.0.5', tags, 'patch');
  assert.deepEqual([found.length, found[0], found.at(-1)], [20, '1.0.99', '1.0.80']);
});

test('whatever tags there are, none told is lower, equal or beyond what is wanted', () => {
  const tag = fc.stringMatching(/^v?\d{1,3}(\.\d{1,3}){0,3}(-[a-z]{1,2})?$/);
  fc.assert(
    fc.property(tag, fc.array(tag), fc.constantFrom(...HIGHER_TAGS), (own, tags, wanted) => {
      const found = higherTags(own, tags, wanted);
      for (const one of found) {
        assert.ok(tags.includes(one));
        assert.deepEqual(higherTags(one, [own], 'major'), []);
        if (wanted !== 'major')
          assert.equal(
            Number.parseInt(one.replace('v', ''), 10),
            Number.parseInt(own.replace('v', ''), 10),
          );
      }
      if (found.length > 0) assert.ok(mayHaveHigher(own, wanted));
    }),
  );
});
