import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEPRECATED_NAMES, SETTINGS } from '../../../shared/config/settings.ts';
import { SECRET_VARIABLES, withoutSecrets } from '../../../shared/contract/secret-variables.ts';

test('every setting that is a secret is known as one by its variable, and by its older names', () => {
  const current = Object.values(SETTINGS)
    .filter((setting) => 'secret' in setting)
    .map(({ variable }) => variable as string);
  const older = Object.entries(DEPRECATED_NAMES)
    .filter(([, stands]) => current.includes(stands))
    .map(([name]) => name);
  assert.deepEqual([...SECRET_VARIABLES].sort(), [...current, ...older].sort());
});

test('an environment is given on without them, and without the files that hold them', () => {
  const given = {
    PATH: '/bin',
    PODUP_TOKEN: 'a',
    PODUP_RELEASE_TOKEN_FILE: '/b',
    WEBHOOK_TOKEN: 'c',
  };
  assert.deepEqual(withoutSecrets(given), { PATH: '/bin' });
  assert.deepEqual(withoutSecrets(given, 'PODUP_TOKEN'), { PATH: '/bin', PODUP_TOKEN: 'a' });
  assert.equal(given.PODUP_TOKEN, 'a');
});
