import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPlatform, manifestsFor } from '../../../app/domain/image-index.ts';

test('the manifests of a platform are all its variants, and no attestation', () => {
  const index = [
    { digest: 'v6', platform: formatPlatform('linux', 'arm') },
    { digest: 'v7', platform: 'linux/arm' },
    { digest: 'amd64', platform: 'linux/amd64' },
    { digest: 'attestation', platform: 'unknown/unknown' },
  ];
  assert.deepEqual(manifestsFor(index, 'linux/arm'), ['v6', 'v7']);
  assert.deepEqual(manifestsFor(index, 'linux/amd64'), ['amd64']);
  assert.deepEqual(manifestsFor(index, 'linux/s390x'), []);
});
