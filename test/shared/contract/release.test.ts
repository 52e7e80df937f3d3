import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestText, releaseIdentity } from '../../../shared/contract/release.ts';
import { DIGEST, NAMELESS, RELEASE } from './samples.ts';

for (const release of [RELEASE, NAMELESS])
  test(`${release.version} is read`, () => assert.deepEqual(releaseIdentity(release), release));

describe('a release is refused with', () => {
  const ROWS: readonly (readonly [title: string, change: Record<string, unknown>])[] = [
    ['no version', { version: undefined }],
    ['an empty version', { version: '' }],
    ['a version that begins like an option', { version: '-1' }],
    ['a version that is a path', { version: '1/../../x' }],
    ['a version of two lines', { version: '1.0\n2' }],
    ['a version of 101 characters', { version: 'x'.repeat(101) }],
    ['no digest', { digest: undefined }],
    ['no generation', { generation: undefined }],
    ['a generation below zero', { generation: -1 }],
    ['a tag of 201 characters', { tag: 'x'.repeat(201) }],
    ['a commit that is a number', { commit: 1 }],
  ];
  for (const [title, change] of ROWS)
    test(title, () => assert.equal(releaseIdentity({ ...RELEASE, ...change }), undefined));
});

describe('a digest', () => {
  const ROWS = [DIGEST.toUpperCase(), DIGEST.slice(1), `${DIGEST}0`, `${DIGEST}\n`, `x${DIGEST}`];
  test('is 64 lower-case hexadecimal digits', () => assert.equal(digestText(DIGEST), DIGEST));
  for (const raw of [...ROWS, `sha256:${DIGEST}`])
    test(`is not ${JSON.stringify(raw)}`, () => assert.equal(digestText(raw), undefined));
});
