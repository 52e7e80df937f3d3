import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { openStore } from '../../../app/db/store.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { startProgram } from './program.ts';

const BAD = [`sha256:${'0a'.repeat(32)}`, `sha256:${'0b'.repeat(32)}`] as const;

/** A state directory in which two images of a unit have failed. */
function makeState(context: TestContext) {
  const stateDir = makeTempFolder(context);
  mkdirSync(join(stateDir, 'data'));
  const file = join(stateDir, 'data/pod-upgrade-trigger.db');
  const opened = openStore(file, { version: 'test', nowMs: 1 });
  assert.ok(opened.ok);
  const store = opened.value;
  context.after(() => store.close());
  for (const digest of BAD) {
    store.quarantine.add({
      unit: 'web.service',
      digest,
      image: 'ghcr.io/o/web:stable',
      image_id: null,
      code: 'GATE_UNHEALTHY',
      detail: 'Container 0a is unhealthy.',
      at: 1_700_000_000_000,
      expires_at: null,
    });
  }
  const run = (...words: string[]) =>
    startProgram(context, ['quarantine', ...words], { PODUP_STATE_DIR: stateDir }).ended;
  return { store, run };
}

describe('quarantine', () => {
  test('list shows each image with why it is there', async (t) => {
    const { run } = makeState(t);
    const { code, stdout, stderr } = await run('list');
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    for (const digest of BAD) assert.match(stdout, new RegExp(`^web\\.service ${digest}$`, 'm'));
    assert.match(stdout, /failed once, last .*until it is released/);
    assert.match(stdout, /GATE_UNHEALTHY: .* Container 0a is unhealthy\./);
    const { images } = JSON.parse((await run('list', '--json')).stdout);
    assert.equal(images.length, 2);
  });

  test('release lets one go, or all of a unit, and leaves an event', async (t) => {
    const { run, store } = makeState(t);
    const one = await run('release', 'web.service', BAD[0]);
    assert.deepEqual([one.code, one.stderr], [EXIT.ok, '']);
    assert.match(one.stdout, /1 released/);
    const again = await run('release', 'web.service', BAD[0]);
    assert.equal(again.code, EXIT.failure);
    assert.match(again.stderr, /^QUARANTINE_NOT_FOUND: .* of web\.service\./);
    assert.equal((await run('release', 'web.service')).code, EXIT.ok);
    assert.match((await run('list')).stdout, /^No image is in quarantine\.$/m);
    assert.equal((await run('release', 'web.service')).code, EXIT.failure);
    const events = store.events.list({ limit: 9, action: 'cli-quarantine-release' }).rows;
    assert.deepEqual(
      events.map(({ method, path, status, code }) => [method, path, status, code]),
      [404, 200, 404, 204].map((status) => [
        'CLI',
        'quarantine release',
        status,
        status === 404 ? 'QUARANTINE_NOT_FOUND' : null,
      ]),
    );
    const meta = JSON.parse(events.at(-1)?.meta ?? '');
    assert.deepEqual([meta.digest, meta.released, meta.exit], [BAD[0], 1, EXIT.ok]);
  });
});
