import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statePaths } from '../../../shared/contract/state-paths.ts';

test('the layout of a state directory is what the documentation says', () => {
  assert.deepEqual(statePaths('/s'), {
    stateDir: '/s',
    dataDir: '/s/data',
    database: '/s/data/pod-upgrade-trigger.db',
    intakeDir: '/s/intake',
  });
});
