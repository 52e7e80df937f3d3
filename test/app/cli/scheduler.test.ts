import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { startProgram } from './program.ts';

/** A state directory that knows a unit which asks to be updated, on a host whose podman knows no container. */
function open(context: TestContext) {
  const stateDir = makeTempFolder(context);
  const { store, path } = openTestStore(context, stateDir);
  const host = join(stateDir, 'host');
  const quadlets = join(stateDir, '.config/containers/systemd');
  for (const folder of [host, quadlets]) mkdirSync(folder, { recursive: true });
  const podman = (script: string) =>
    writeFileSync(join(host, 'podman'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  podman('echo "{}"');
  const file = join(quadlets, 'web.container');
  const image = 'ghcr.io/o/web:main';
  writeFileSync(file, `[Container]\nImage=${image}\nAutoUpdate=registry\n`);
  const found = { unit: 'web.service', path: file, image, isAutoUpdated: true, hasPolicy: false };
  const marked = { ...found, webhookEnabled: null, fault: null };
  store.discovered.record('user localhost', 'quadlet', [marked], Date.now());
  const environment = {
    ...{ PODUP_STATE_DIR: stateDir, PODUP_DB_URL: path, PODUP_TASK_EXECUTOR: 'child' },
    ...{ PODUP_AUTO_DISCOVER: '1', PODUP_SCHEDULER_MIN_INTERVAL_SECS: '1' },
    ...{ PATH: `${host}:${process.env['PATH']}`, HOME: stateDir },
  };
  const run = (words: readonly string[], over = {}) =>
    startProgram(context, ['scheduler', ...words], { ...environment, ...over });
  return { store, run, environment, podman };
}

/** podman is not waited for. */
const AT_ONCE = { timeout: 25_000 };

const begunIn = (stdout: string) => [...stdout.matchAll(/^(\S+)Z {2}(tsk_\S+) begun$/gm)];

describe('scheduler', () => {
  test('does the work itself where no service runs, at once, and ends after so many times', async (t) => {
    const { store, run } = open(t);
    const ended = await run(['--interval', '3600', '--max-iterations', '1']).ended;
    const [[, , id = ''] = []] = begunIn(ended.stdout);
    const task = store.tasks.find(id);
    assert.equal(ended.code, EXIT.ok, ended.stdout + ended.stderr);
    assert.deepEqual(
      [task?.trigger_source, task?.input],
      [
        'scheduler',
        '{"unit":"pod-upgrade-trigger","version":null,"image":null,"maintenance":"auto-update"}',
      ],
    );
    assert.match(ended.stdout, new RegExp(`^${id} (failed|succeeded): `, 'm'));
    assert.equal(store.tasks.countOpen().pending + store.tasks.countOpen().running, 0);
    const { rows } = store.events.list({ limit: 10 });
    assert.ok(rows.some(({ action, path }) => action === 'scheduler' && path === 'auto-update'));
  });

  test('serves each time once, however many of it there are', async (t) => {
    const { store, run } = open(t);
    const words = ['--interval-secs', '2', '--max-iterations', '4'];
    const all = await Promise.all([run(words).ended, run(words).ended, run(words).ended]);
    const begun = all.flatMap(({ stdout }) => begunIn(stdout).map(([, due]) => due));
    assert.deepEqual(
      all.map(({ code }) => code),
      [EXIT.ok, EXIT.ok, EXIT.ok],
    );
    assert.equal(new Set(begun).size, begun.length, 'no due time twice');
    assert.ok(begun.length >= 2);
    assert.ok(all.some(({ stdout }) => / {2}served already: tsk_/.test(stdout)));
    assert.equal(store.tasks.countRunning(), 0);
  });

  test('leaves a time to the service that runs, which has served it', async (t) => {
    const { store, run, environment } = open(t);
    const service = startProgram(t, ['http-server'], {
      ...environment,
      ...{ PODUP_HTTP_ADDR: '127.0.0.1:0', PODUP_AUTO_UPDATE_CRON: 'off' },
    });
    await service.logged('serving');
    const words = ['--interval', '3600', '--max-iterations', '1'];
    const first = await run(words).ended;
    assert.equal(first.code, EXIT.ok, first.stderr);
    const [[, , id = ''] = []] = begunIn(first.stdout);
    assert.equal(store.tasks.find(id)?.trigger_source, 'scheduler');
    const second = await run(words).ended;
    assert.match(second.stdout, new RegExp(`served already: ${id}$`, 'm'));
    await service.logged('task ended');
  });

  test('says why there is nothing to do, and when the least interval is longer than what is asked for', async (t) => {
    const { run } = open(t);
    const over = { PODUP_AUTO_DISCOVER: 'off', PODUP_SCHEDULER_MIN_INTERVAL_SECS: '7200' };
    const { code, stdout } = await run(['--interval', '1', '--max-iterations', '1'], over).ended;
    assert.equal(code, EXIT.ok);
    assert.match(
      stdout,
      /^\d{4}-\d\d-\d\dT(\d[02468]):00:00\.000Z {2}No unit that may be deployed/,
    );
  });

  test('ends on SIGTERM, and gives what runs back', AT_ONCE, async (t) => {
    const { run, podman, store } = open(t);
    podman('exec sleep 60');
    const { child, ended } = run(['--interval', '3600']);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGTERM');
    assert.equal((await ended).code, EXIT.ok);
    assert.equal(store.tasks.findMaintenance('auto-update')?.status, 'pending');
  });

  for (const words of [
    ['--interval', '0'],
    ['--interval', 'often'],
    ['--max-iterations', '0'],
    ['now'],
  ]) {
    test(`refuses ${words.join(' ')}`, async (t) => {
      const { run } = open(t);
      assert.equal((await run(words).ended).code, EXIT.usage);
    });
  }
});
