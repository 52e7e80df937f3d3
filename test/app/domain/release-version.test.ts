import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  compareVersions,
  isPrerelease,
  isReleaseTag,
  parseVersion,
} from '../../../app/domain/release-version.ts';

describe('parseVersion', () => {
  for (const [text, version] of [
    ['v1.2.3', '1.2.3'],
    ['1.2.3', '1.2.3'],
    ['v1.2.3-beta.1', '1.2.3-beta.1'],
    ['v1.2.3+build.7', '1.2.3+build.7'],
    ['v1.2', undefined],
    ['nightly', undefined],
    [' v1.2.3', undefined],
    ['v01.2.3', undefined],
    ['1.2.3.4', undefined],
    ['', undefined],
  ] as const) {
    test(`${JSON.stringify(text)} is ${version ?? 'no version'}`, () => {
      assert.equal(parseVersion(text), version);
    });
  }
});

describe('compareVersions', () => {
  for (const [older, newer] of [
    ['1.9.0', '1.10.0'],
    ['1.0.0-beta.2', '1.0.0-beta.10'],
    ['1.0.0-beta.1', '1.0.0'],
    ['1.0.0', '1.0.0+1'],
    ['1.0.0+1', '1.0.0+2'],
    ['source', '0.0.1'],
  ] as const) {
    test(`${older} is older than ${newer}`, () => {
      assert.ok(compareVersions(older, newer) < 0);
      assert.ok(compareVersions(newer, older) > 0);
    });
  }

  test('a leading v makes no difference', () => {
    assert.equal(compareVersions('v1.2.3', '1.2.3'), 0);
  });

  test('what is no version is as old as anything that is none', () => {
    assert.equal(compareVersions('source', 'nightly'), 0);
  });
});

test('a version with a part behind a hyphen is a pre-release', () => {
  assert.deepEqual(['1.0.0-rc.1', '1.0.0', '1.0.0+rc.1', 'rc'].map(isPrerelease), [
    true,
    false,
    false,
    false,
  ]);
});

describe('isReleaseTag', () => {
  for (const tag of [
    '../../etc',
    'a/b',
    '.hidden',
    '-x',
    '',
    'v1 2',
    'v1\n',
    `v${'1'.repeat(100)}`,
  ]) {
    test(`${JSON.stringify(tag.slice(0, 20))} is no tag`, () =>
      assert.equal(isReleaseTag(tag), false));
  }

  test('what releases are called is one', () => {
    assert.deepEqual(['v1.2.3', '1.2.3-beta.1+x', 'nightly'].map(isReleaseTag), [true, true, true]);
  });
});
