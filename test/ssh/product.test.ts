import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findProcesses } from '../helpers/processes.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, post } from '../helpers/webhook.ts';
import { RemoteLab } from './remote-fixture.ts';

const PORT = 8602;

describe('the product, for another host over SSH', () => {
  let remote: RemoteLab;
  let product: Product;
  before(async () => {
    remote = await RemoteLab.start();
    await remote.push('web:stable', 'v1');
    await remote.startUnit('web', PORT);
    await remote.untilServed(PORT, 'v1');
    product = await Product.start({
      PODUP_MANUAL_UNITS: 'web',
      PODUP_SSH_TARGET: remote.lab.target,
      PODUP_SSH_CONFIG: remote.lab.sshConfigFile,
      PODUP_DEPLOY_SOAK_MS: '2000',
      PODUP_RESTART_BACKOFF_INITIAL_MS: '10',
    });
  });
  after(async () => {
    await product[Symbol.asyncDispose]();
    await remote.close();
  });

  async function report(version: string, ...options: string[]): Promise<void> {
    const digest = await remote.push('web:stable', version, ...options);
    const body = makeBody('registry_package', {
      ...{ repository: '127.0.0.1:5000/web', tag: 'stable', digest },
    });
    const url = `http://${product.address}/github-package-update/web`;
    const { status } = await post(url, body, makeHeaders('registry_package', body));
    assert.equal(status, 202);
  }

  test('a push is deployed there, and its health is that of podman there', async () => {
    await report('v2');
    const task = await product.ended();
    assert.equal(task.status, 'succeeded', JSON.stringify(task.error));
    await remote.untilServed(PORT, 'v2');
    const { checks } = await product.health();
    assert.ok(
      checks.every(({ ok }) => ok),
      JSON.stringify(checks),
    );
  });

  for (const victim of ['task', 'worker'] as const) {
    test(`a ${victim} that is killed in the middle is gone on with`, async () => {
      const mark = product.lines.length;
      await report(`kill-${victim}`);
      await remote.untilServed(PORT, `kill-${victim}`);
      const id = (await product.tasks())[0]?.task_id ?? '';
      const [process_ = 0] = findProcesses(`run-task\0${id}`);
      const pid = victim === 'task' ? process_ : product.workerPid;
      assert.ok(pid > 0);
      process.kill(pid, 'SIGKILL');
      if (victim === 'worker') await product.ready(2);
      const task = await product.ended(mark);
      assert.equal(task.status, 'succeeded', JSON.stringify(task.error));
      assert.ok(task.attempts > 1);
      assert.equal(await remote.served(PORT), `kill-${victim}`);
    });
  }

  test('a bad image is taken back there', async () => {
    const mark = product.lines.length;
    await report('bad', '--broken');
    const task = await product.ended(mark);
    assert.equal(task.status, 'failed');
    assert.match(task.summary, /was put back to sha256:/);
    await remote.untilServed(PORT, 'kill-worker');
  });

  test('a host out of reach is an error that names it', async () => {
    remote.lab.block();
    remote.lab.cut();
    const mark = product.lines.length;
    const digest = `sha256:${'00'.repeat(32)}`;
    const body = makeBody('registry_package', {
      ...{ repository: '127.0.0.1:5000/web', tag: 'stable', digest },
    });
    const url = `http://${product.address}/github-package-update/web`;
    assert.equal((await post(url, body, makeHeaders('registry_package', body))).status, 202);
    const task = await product.ended(mark);
    assert.equal(task.error?.code, 'SSH_UNREACHABLE');
    assert.match(task.error.detail, /lab2/);
    const health = await until('health knows', PATIENCE_MS, async () => {
      const { checks } = await product.health();
      return checks.find(({ code }) => code === 'SSH_UNREACHABLE');
    });
    assert.equal(health.ok, false);
    remote.lab.unblock();
  });
});
