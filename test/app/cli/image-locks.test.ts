import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../../app/db/store.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { newTask } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { startProgram } from './program.ts';

const IMAGE = 'ghcr.io/o/web:main';
const BUCKET = 'ghcr.io_o_web_main';

test('image-locks list shows what is held and what waits, and release lets that begin', async (t) => {
  const stateDir = makeTempFolder(t);
  mkdirSync(join(stateDir, 'data'));
  const file = join(stateDir, 'data/pod-upgrade-trigger.db');
  const opened = openStore(file, { version: 'test', nowMs: 1 });
  assert.ok(opened.ok);
  const store = opened.value;
  t.after(() => store.close());
  const run = (...words: string[]) =>
    startProgram(t, ['image-locks', ...words], {
      ...{ PODUP_STATE_DIR: stateDir, PODUP_IMAGE_LIMIT_COUNT: '1' },
    }).ended;
  const now = Date.now();
  store.rateLimits.add(`image:${BUCKET}`, now, 3_600_000);
  store.tasks.insert(newTask({ id: 'tsk_running', image: IMAGE }));
  store.tasks.markDispatched('tsk_running', 'child', now);
  store.tasks.insert(newTask({ id: 'tsk_waiting', unit: 'twin.service', image: IMAGE }));
  store.tasks.putOff('tsk_waiting', now + 3_600_000, 'image-limit', now);

  const { code, stdout, stderr } = await run('list');
  assert.deepEqual([code, stderr], [EXIT.ok, '']);
  const [held, used] = stdout.split('\n');
  assert.match(held ?? '', /^ghcr\.io_o_web_main {2}held since .+ by tsk_running of web\.service$/);
  assert.match(
    used ?? '',
    /^ghcr\.io_o_web_main {2}deployed 1 of 1 times in 3600 s, again at .+, 1 waiting$/,
  );
  const released = await run('release', IMAGE);
  assert.deepEqual([released.code, released.stderr], [EXIT.ok, '']);
  assert.equal(
    released.stdout,
    `${BUCKET}: 1 deployments forgotten, 1 tasks need not wait for them. tsk_running still deploys it.\n`,
  );
  assert.equal(store.tasks.find('tsk_waiting')?.not_before, null);
  const again = await run('release', IMAGE);
  assert.equal(again.code, EXIT.failure);
  assert.match(again.stderr, /^IMAGE_LOCK_HELD: /);
});
