/** Where the earlier program of this name failed; docs/compared.md lists these checks and those that stand elsewhere. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import type { TaskView } from '../../app/api/views.ts';
import { NO_CLOCK } from '../../shared/config/no-clock.ts';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { systemctl, untilServed } from '../helpers/lab-units.ts';
import { PATIENCE_MS, PROGRAM_FILE, Product, SECRET, TOKEN } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, type Push, post } from '../helpers/webhook.ts';

async function report(address: string, unit: string, push: Push): Promise<void> {
  const body = makeBody('registry_package', push);
  const url = `http://${address}/github-package-update/${unit}`;
  const { status } = await post(url, body, makeHeaders('registry_package', body));
  assert.equal(status, 202);
}

describe('a service of which nothing is configured', () => {
  test('listens on this host only, and lets nobody do anything', async (t) => {
    const { HOME, PATH } = process.env;
    const child = spawn(process.execPath, [PROGRAM_FILE, 'http-server'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { HOME, PATH },
    });
    t.after(() => child.kill());
    const lines = createInterface({ input: child.stdout });
    for await (const line of lines) if (line.includes('"serving"')) break;
    const answer = await fetch('http://127.0.0.1:25111/api/manual/trigger', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-podup-csrf': '1' },
      body: '{"all":true}',
    });
    const { code } = (await answer.json()) as { code: string };
    assert.deepEqual([answer.status, code], [401, 'ADMIN_TOKEN_NOT_CONFIGURED']);
    const outside = connect({ host: '127.0.0.2', port: 25111 });
    const [error] = (await once(outside, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });
});

describe('a service that is configured by an EnvironmentFile alone', () => {
  test('hands what it was told to its tasks, and a delivery comes to its end', async (t) => {
    pushImage('filed:stable', 'v1');
    startUnit('filed', 'filed:stable', 8121);
    await untilServed(8121, 'v1');
    const folder = mkdtempSync(join(tmpdir(), 'podup-env-'));
    const address = '127.0.0.1:8122';
    const settings = {
      PODUP_HTTP_ADDR: address,
      PODUP_STATE_DIR: join(folder, 'state'),
      PODUP_DB_URL: `sqlite://${folder}/elsewhere.db`,
      PODUP_MANUAL_UNITS: 'filed',
      PODUP_TOKEN: TOKEN,
      PODUP_GH_WEBHOOK_SECRET: `"${SECRET}"`,
      PODUP_DEPLOY_SOAK_MS: '300',
      ...NO_CLOCK,
    };
    const pairs = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(folder, 'env'), pairs.join(''));
    const units = join(homedir(), '.config/systemd/user');
    mkdirSync(units, { recursive: true });
    const start = `${process.execPath} ${PROGRAM_FILE} supervise`;
    const service = `[Service]\nType=exec\nEnvironmentFile=${folder}/env\nExecStart=${start}\n`;
    writeFileSync(join(units, 'podup-filed.service'), service);
    systemctl('daemon-reload');
    systemctl('start', 'podup-filed.service');
    t.after(() => systemctl('stop', 'podup-filed.service'));
    await until('it serves', PATIENCE_MS, async () => {
      const answer = await fetch(`http://${address}/health/self`).catch(() => undefined);
      return answer?.ok ?? false;
    });
    await report(address, 'filed', pushImage('filed:stable', 'v2'));
    const task = await until('the task ends', PATIENCE_MS, async () => {
      const answer = await fetch(`http://${address}/api/tasks`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      const { tasks } = (await answer.json()) as { tasks: TaskView[] };
      return tasks.find(({ finished_at: at }) => at !== null);
    });
    assert.equal(task.status, 'succeeded', JSON.stringify(task));
    assert.equal(await served(8121), 'v2');
  });
});

describe('work that is asked for', () => {
  test('is done when a task that has failed is to be done anew', async () => {
    pushImage('again:stable', 'v1');
    startUnit('again', 'again:stable', 8123);
    await untilServed(8123, 'v1');
    await using product = await Product.start({ PODUP_MANUAL_UNITS: 'again' });
    const push = pushImage('again:stable', 'v2');
    command('systemctl', '--user', 'stop', 'lab-registry');
    await report(product.address, 'again', push);
    const failed = await product.ended();
    assert.equal(failed.status, 'failed', JSON.stringify(failed));
    command('systemctl', '--user', 'start', 'lab-registry');
    const mark = product.lines.length;
    const { status } = await product.post(`/api/tasks/${failed.task_id}/retry`, {});
    assert.equal(status, 202);
    const again = await product.ended(mark);
    assert.deepEqual([again.status, again.retry_of], ['succeeded', failed.task_id]);
    await untilServed(8123, 'v2');
  });

  test('by a second push in the middle of the pull of the first is done: the newest runs', async () => {
    pushImage('twice:stable', 'v1');
    startUnit('twice', 'twice:stable', 8124);
    await untilServed(8124, 'v1');
    await using product = await Product.start({ PODUP_MANUAL_UNITS: 'twice' });
    await report(product.address, 'twice', pushImage('twice:stable', 'v2', '--pad', '150'));
    await until('it pulls', PATIENCE_MS, async () =>
      (await product.tasks()).some(({ phase }) => phase === 'pulling-image'),
    );
    const newest = pushImage('twice:stable', 'v3');
    await report(product.address, 'twice', newest);
    await untilServed(8124, 'v3');
    const tasks = await until('all has ended', PATIENCE_MS, async () => {
      const all = await product.tasks();
      return all.every(({ finished_at: at }) => at !== null) && all;
    });
    assert.deepEqual(
      tasks.map(({ status }) => status),
      ['succeeded', 'succeeded'],
      JSON.stringify(tasks),
    );
    assert.equal(tasks[0]?.digests.running, newest.digest);
    assert.equal(await served(8124), 'v3');
  });
});
