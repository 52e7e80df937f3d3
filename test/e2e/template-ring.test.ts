import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { command, pushImage, startUnit } from '../helpers/lab.ts';
import { Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, type Push, post } from '../helpers/webhook.ts';

const INSTANCES = ['ring@2', 'ring@10', 'ring@1'] as const;
const HOST = process.env['LAB_DIR'] ?? '';

/** A template whose instances run one image, each in a container of its own. */
function startRing(): void {
  const notify = ['--sdnotify', 'container', '--timeout', '5'];
  command(`${HOST}/unit`, 'ring@', 'ring:stable', '--no-start', ...notify);
  const file = join(process.env['HOME'] ?? '', '.config/systemd/user/ring@.service');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('--name ring@', '--name ring-%i'));
  command('systemctl', '--user', 'daemon-reload');
  command('systemctl', '--user', 'start', ...INSTANCES.map((name) => `${name}.service`));
}

describe('the instances of a template', () => {
  let product: Product;

  before(async () => {
    pushImage('ring:stable', 'v1');
    pushImage('slow:stable', 'v1');
    startUnit('slow', 'slow:stable', 8081, '--sdnotify', 'container');
    startRing();
    product = await Product.start({
      PODUP_MANUAL_UNITS: ['slow', ...INSTANCES].join(','),
      PODUP_TASK_CONCURRENCY: '1',
    });
  });
  after(() => product[Symbol.asyncDispose]());

  async function report(unit: string, push: Push): Promise<void> {
    const body = makeBody('registry_package', push);
    const url = `http://${product.address}/github-package-update/${unit}`;
    const { status } = await post(url, body, makeHeaders('registry_package', body));
    assert.equal(status, 202);
  }

  /** Reports a push for every instance while another unit is being deployed; how their tasks end, in that order. */
  async function deployRing(version: string, ...options: string[]) {
    const mark = product.lines.length;
    await report('slow', pushImage('slow:stable', version, '--slow', '3'));
    await until('the slow unit is being deployed', 5_000, async () =>
      (await product.tasks()).some(({ status }) => status === 'running'),
    );
    const push = pushImage('ring:stable', version, ...options);
    for (const name of INSTANCES) await report(name, push);
    const ended = () => product.lines.slice(mark).filter(({ msg }) => msg === 'task ended');
    await until('all have ended', 60_000, () => Promise.resolve(ended().length === 4));
    const ring = ended().slice(1);
    const tasks = await Promise.all(ring.map(({ task }) => product.task(String(task))));
    return tasks.map(({ unit, status, summary }) => ({ unit, status, summary }));
  }

  test('get a good image one after the other, the lowest first', async () => {
    const tasks = await deployRing('v2');
    assert.deepEqual(
      tasks.map(({ unit, status }) => [unit, status]),
      ['ring@1', 'ring@2', 'ring@10'].map((name) => [`${name}.service`, 'succeeded']),
    );
  });

  test('are spared an image that has failed for the first of them', async () => {
    const [first, ...others] = await deployRing('v3', '--broken');
    assert.deepEqual([first?.unit, first?.status], ['ring@1.service', 'failed']);
    for (const { status, summary } of others) {
      assert.equal(status, 'skipped');
      assert.match(summary, /IMAGE_QUARANTINED.*ring@1\.service/);
    }
    const ran = command('podman', 'ps', '--format', '{{.Names}}').split('\n');
    for (const name of ['ring-1', 'ring-2', 'ring-10']) assert.ok(ran.includes(name), name);
  });
});
