import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHostObstacle } from '../../../app/domain/preflight.ts';

const FACTS = { version: '4.3.1', graphRoot: '/g', driver: 'overlay', freeBytes: 200 };

for (const [title, facts, sizeBytes, code] of [
  ['twice the image fits', {}, 100, undefined],
  ['a byte is missing', {}, 101, 'DISK_LOW'],
  ['the size is not known', { freeBytes: 0 }, 0, undefined],
  ['the space is not known', { freeBytes: undefined }, 1e12, undefined],
  ['podman 3', { version: '3.4.4' }, 0, 'PODMAN_TOO_OLD'],
  ['podman 10', { version: '10.0.0' }, 0, undefined],
  ['a podman that does not say', { version: '' }, 0, undefined],
] as const) {
  test(`a host for an image: ${title}`, () => {
    const obstacle = findHostObstacle({ ...FACTS, ...facts }, sizeBytes);
    assert.equal(obstacle?.code, code);
    if (code === 'DISK_LOW')
      assert.equal(obstacle?.detail, '/g: 200 bytes are free, 202 are needed.');
  });
}
