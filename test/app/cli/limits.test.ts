import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../app/db/store.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { startProgram } from './program.ts';

test('limits list shows who has failed too often, and release ends it', async (t) => {
  const stateDir = makeTempFolder(t);
  mkdirSync(join(stateDir, 'data'));
  const file = join(stateDir, 'data/pod-upgrade-trigger.db');
  const opened = openStore(file, { version: 'test', nowMs: 1 });
  assert.ok(opened.ok);
  const store = opened.value;
  t.after(() => store.close());
  const now = Date.now();
  const tally = { kind: 'admin', address: '192.0.2.7', since: now, count: 20, refused: 3 } as const;
  store.failedCredentials.save({ changed: [{ ...tally, last_at: now, good_at: 0 }], gone: [] });
  store.rateLimits.add('manual-auto-update', now, 1_000);
  const run = (...words: string[]) =>
    startProgram(t, ['limits', ...words], { PODUP_STATE_DIR: stateDir }).ended;

  const { code, stdout, stderr } = await run('list');
  assert.deepEqual([code, stderr], [EXIT.ok, '']);
  assert.match(stdout, /^POST \/auto-update: 1 of 2 in 600 s, 1 of 10 in 18000 s$/m);
  assert.match(stdout, /^ {2}192\.0\.2\.7 admin: 20 failed, 3 refused, again at /m);
  assert.match(stdout, /^connections: no service runs$/m);
  assert.equal((await run('release', '192.0.2.7')).code, EXIT.ok);
  assert.match((await run('release', '192.0.2.7')).stderr, /^LIMIT_NOT_FOUND: /);
  assert.equal((await run('release', 'auto-update')).code, EXIT.ok);
  assert.deepEqual(store.failedCredentials.list(), []);
  assert.deepEqual(store.rateLimits.list('manual-auto-update', 9), []);
});
