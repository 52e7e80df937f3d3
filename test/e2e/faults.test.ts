import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { command, countStarts, pushImage, served, startUnit } from '../helpers/lab.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, type Push, post } from '../helpers/webhook.ts';

const PORT = 8081;

async function report(product: Product, push: Push) {
  const body = makeBody('registry_package', push);
  const url = `http://${product.address}/github-package-update/web`;
  return post(url, body, makeHeaders('registry_package', body));
}

/** A folder with the programs of the host but without some; for use as PATH. */
function pathWithout(...left: string[]): string {
  const folder = mkdtempSync('/tmp/path-');
  for (const name of ['busctl', 'systemctl', 'systemd-run', 'journalctl', 'podman']) {
    if (!left.includes(name)) symlinkSync(`/usr/bin/${name}`, join(folder, name));
  }
  return folder;
}

describe('when something of the host is missing', () => {
  before(async () => {
    pushImage('web:stable', 'v1');
    startUnit('web', 'web:stable', PORT);
    await until('v1', PATIENCE_MS, async () => (await served(PORT)) === 'v1');
  });

  test('a registry that is down fails the task with a code, and the unit is not touched', async () => {
    await using product = await Product.start({ PODUP_MANUAL_UNITS: 'web' });
    const push = pushImage('web:stable', 'v2');
    command('systemctl', '--user', 'stop', 'lab-registry');
    const { status } = await report(product, push);
    assert.equal(status, 202);
    const task = await product.ended();
    command('systemctl', '--user', 'start', 'lab-registry');
    assert.deepEqual([task.status, task.error?.code], ['failed', 'REGISTRY_UNREACHABLE']);
    assert.ok(task.error?.hint);
    assert.equal(await served(PORT), 'v1');
    assert.equal(countStarts('web.service', 'v1'), 1);
    assert.match(String(task.running_image), /web:stable$/);
    assert.equal(task.digests.pulled, null);
    const argvs = task.logs.map(({ meta }) => (meta as { argv?: string[] })?.argv?.join(' ') ?? '');
    assert.ok(argvs.some((argv) => argv.startsWith('systemctl --user status')));
    assert.ok(argvs.some((argv) => argv.startsWith('journalctl --user')));
  });

  test('a podman that is missing fails the task with a code, and health says so', async () => {
    await using product = await Product.start({
      PODUP_MANUAL_UNITS: 'web',
      PATH: pathWithout('podman'),
    });
    const { status } = await report(product, pushImage('web:stable', 'v3'));
    assert.equal(status, 202);
    const task = await product.ended();
    assert.deepEqual([task.status, task.error?.code], ['failed', 'PODMAN_UNAVAILABLE']);
    const health = await product.health();
    assert.equal(health.status, 'degraded');
    const podman = health.checks.find(({ component }) => component === 'podman');
    assert.deepEqual([podman?.ok, podman?.code], [false, 'PODMAN_UNAVAILABLE']);
    assert.ok(podman?.hint);
    assert.equal(await served(PORT), 'v1');
  });

  test('a user manager that is out of reach costs no delivery: the task says what is wrong', async () => {
    await using product = await Product.start({
      PODUP_MANUAL_UNITS: 'web',
      XDG_RUNTIME_DIR: '/tmp/no-such-runtime',
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/tmp/no-such-bus',
    });
    const { status, answer } = await report(product, pushImage('web:stable', 'v4'));
    assert.deepEqual([status, answer['verdict']], [202, 'accepted']);
    const task = await product.ended();
    assert.deepEqual([task.status, task.error?.code], ['failed', 'USER_MANAGER_UNAVAILABLE']);
    const health = await product.health();
    const manager = health.checks.find(({ component }) => component === 'user-manager');
    assert.equal(manager?.code, 'USER_MANAGER_UNAVAILABLE');
  });

  test('an image that cannot start ends as a failed task with the diagnostics of the unit', async () => {
    await using product = await Product.start({ PODUP_MANUAL_UNITS: 'sick' });
    pushImage('sick:stable', 'v1');
    startUnit('sick', 'sick:stable', 8082, '--sdnotify', 'container', '--timeout', '5');
    const push = pushImage('sick:stable', 'v2', '--broken');
    const body = makeBody('registry_package', push);
    const url = `http://${product.address}/github-package-update/sick`;
    await post(url, body, makeHeaders('registry_package', body));
    const task = await product.ended();
    assert.deepEqual([task.status, task.error?.code], ['failed', 'RESTART_FAILED']);
    assert.equal(task.digests.pulled, push.digest);
    const journal = task.logs
      .map(({ meta }) => meta as { argv?: string[]; stdout?: string } | null)
      .find((meta) => meta?.argv?.[0] === 'journalctl');
    assert.match(String(journal?.stdout), /version v2: broken, giving up/);
  });
});

describe('secrets', () => {
  test('and good signatures stand in no row and in no line of the log', async () => {
    await using product = await Product.start({ PODUP_MANUAL_UNITS: 'web' });
    const push = pushImage('web:stable', 'v5');
    const good = makeBody('registry_package', push);
    const headers = makeHeaders('registry_package', good);
    const url = `http://${product.address}/github-package-update/web`;
    const forged = 'x'.repeat(64);
    const refused = await post(url, good, {
      ...headers,
      'x-hub-signature-256': `sha256=${forged}`,
    });
    assert.deepEqual([refused.status, refused.answer['code']], [401, 'SIGNATURE_INVALID']);
    assert.equal((await post(url, good, headers)).status, 202);
    await product.ended();
    await product.stop();
    const files = command('find', product.stateDir, '-type', 'f').trim().split('\n');
    const kept = files.map((file) => readFileSync(file, 'latin1')).join('\n') + product.output;
    const mac = headers['x-hub-signature-256'].slice('sha256='.length);
    for (const secret of ["It's a Secret to Everybody", 'admin-token-of-the-tests', mac, forged]) {
      assert.ok(!kept.includes(secret), `${secret} was kept`);
    }
  });
});
