import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ImageReference } from '../../../app/domain/image-reference.ts';
import { parseWantedVersion } from '../../../app/domain/wanted-version.ts';

const IMAGE: ImageReference = { registry: 'ghcr.io', repository: 'o/web', tag: 'stable' };
const DIGEST = `sha256:${'0a'.repeat(32)}`;
const HELD = 'localhost/podup/rollback:web.service-3';

describe('the version that a person wants', () => {
  for (const [raw, wanted] of [
    [':1.4', { kind: 'tag', tag: '1.4' }],
    ['1.4', { kind: 'tag', tag: '1.4' }],
    ['ghcr.io/o/web:1.4', { kind: 'tag', tag: '1.4' }],
    ['ghcr.io/o/web', { kind: 'tag', tag: 'latest' }],
    [DIGEST, { kind: 'digest', digest: DIGEST }],
    [`@${DIGEST}`, { kind: 'digest', digest: DIGEST }],
    [`ghcr.io/o/web@${DIGEST}`, { kind: 'digest', digest: DIGEST }],
    [`ghcr.io/o/web:1.4@${DIGEST}`, { kind: 'digest', digest: DIGEST, tag: '1.4' }],
    [HELD, { kind: 'held', name: HELD }],
  ] as const) {
    test(`${raw} is read`, () => assert.deepEqual(parseWantedVersion(raw, IMAGE), wanted));
  }

  for (const raw of [
    '',
    ':',
    '--privileged',
    'ghcr.io/o/other:1.4',
    'docker.io/o/web:1.4',
    'a b',
    '$(id)',
    'localhost/podup/rollback:a b',
    'sha256:short/',
    `ghcr.io/o/web@sha512:${'0a'.repeat(32)}`,
  ]) {
    test(`${JSON.stringify(raw)} is none`, () =>
      assert.equal(parseWantedVersion(raw, IMAGE), undefined));
  }
});
