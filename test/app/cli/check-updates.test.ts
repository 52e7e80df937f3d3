import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { makeManifest } from '../../helpers/loopback-registry.ts';
import { serveChecks } from '../http/serve-checks.ts';
import { startProgram } from './program.ts';

test('units check looks, units updates tells what was found', async (t) => {
  const { folder, registry } = await serveChecks(t);
  const environment = { PODUP_STATE_DIR: folder };
  const run = (...words: string[]) => startProgram(t, ['units', ...words], environment).ended;
  const nothing = await run('check');
  assert.deepEqual([nothing.code, nothing.stdout], [EXIT.usage, '']);
  assert.match(nothing.stderr, /--all/);
  assert.deepEqual(registry.asked, []);
  const looked = await run('check', 'a');
  assert.deepEqual([looked.code, looked.stderr], [EXIT.ok, '']);
  assert.match(looked.stdout, /^up_to_date {12}a\.service {2}127.*\n1 tags asked for, \d/);
  registry.manifests.set('app:latest', makeManifest('new'));
  const all = await run('check', '--all', '--json');
  const { checks, asked } = JSON.parse(all.stdout);
  assert.equal(asked, 1);
  assert.deepEqual(
    checks.map(({ update }: { update: { status: string } }) => update.status),
    ['tag_update_available', 'tag_update_available'],
  );
  const told = await run('updates', '--status', 'tag_update_available');
  assert.match(told.stdout, /^tag_update_available {2}a\.service .*\ntag_update_available {2}b/);
  const unknown = await run('check', 'sshd');
  assert.deepEqual([unknown.code, unknown.stdout], [EXIT.failure, '']);
  assert.match(unknown.stderr, /^UNIT_NOT_CONFIGURED/);
});
