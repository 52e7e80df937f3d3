import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectsDeliveries } from '../../../app/domain/expects-deliveries.ts';
import { parseImageReference } from '../../../app/domain/image-reference.ts';
import type { StoredHook } from '../../../app/domain/stored-hook.ts';

const IMAGE = parseImageReference('ghcr.io/acme/web:main');
const HOOK: StoredHook = {
  ...({ name: 'ci', source: 'generic', scheme: 'standard-webhooks', action: 'deploy' } as const),
  ...{ images: [], units: [], networks: [], registry: null, image: null },
  ...{ expiresAt: null, disabledAt: null },
};

for (const [what, over, expected] of [
  ['names neither units nor images', {}, false],
  ['names the unit', { units: ['web.service'] }, true],
  ['names another unit', { units: ['api.service'], images: ['ghcr.io/acme/*'] }, false],
  ['names its image', { images: ['ghcr.io/acme/*'] }, true],
  ['names the unit with another image', { units: ['web.service'], images: ['quay.io/*'] }, false],
  ['only looks for updates', { units: ['web.service'], action: 'check' }, false],
  ['is disabled', { units: ['web.service'], disabledAt: 5 }, false],
  ['is over', { units: ['web.service'], expiresAt: 5 }, false],
  ['ends later', { units: ['web.service'], expiresAt: 20 }, true],
] as const)
  test(`deliveries of a unit are ${expected ? '' : 'not '}expected by a hook that ${what}`, () => {
    assert.equal(expectsDeliveries({ ...HOOK, ...over }, 'web.service', IMAGE, 10), expected);
  });

test('of a unit whose image is not known they are by its name only', () => {
  const expects = (over: Partial<StoredHook>) =>
    expectsDeliveries({ ...HOOK, ...over }, 'web.service', undefined, 10);
  assert.deepEqual(
    [expects({ images: ['ghcr.io/*'] }), expects({ units: ['web.service'] })],
    [false, true],
  );
});
