import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { TaskDetailView } from '../../app/api/views.ts';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { PATIENCE_MS, PROGRAM_FILE, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';

const PORT = 8081;
const registry = process.env['LAB_REGISTRY'] ?? '';
const UNITS = { PODUP_MANUAL_UNITS: 'web' };

const becomes = (version: string) =>
  until(`it serves ${version}`, PATIENCE_MS, async () => (await served(PORT)) === version);

const imageId = () =>
  command('podman', 'ps', '--filter', 'name=web', '--format', '{{.ImageID}}', '--no-trunc').trim();

describe('a unit that asks to be updated', () => {
  let product: Product;
  let former = '';

  before(async () => {
    pushImage('web:stable', 'v1');
    startUnit('web', 'web:stable', PORT);
    await becomes('v1');
    former = imageId();
    product = await Product.start(UNITS);
    await product.api('/api/manual/services?refresh=1');
  });
  after(() => product[Symbol.asyncDispose]());

  /** Has a job done now; its task once it has ended, and all that the log says from then on. */
  async function run(job: string): Promise<TaskDetailView> {
    const mark = product.lines.length;
    const { status, body } = await product.post<{ task_id: string }>(`/api/schedule/${job}/run`);
    assert.equal(status, 202, JSON.stringify(body));
    await product.logged(
      (line) => line.msg === 'task ended' && line['task'] === body.task_id,
      mark,
    );
    return product.task(body.task_id);
  }

  test('is left alone while its tag means what it runs', async () => {
    const { status, summary } = await run('auto-update');
    const said = 'Of 1 units 0 have something newer; 0 begun.';
    assert.deepEqual([status, summary], ['succeeded', said]);
    assert.equal((await product.tasks()).length, 1);
  });

  test('is brought to what its tag means now, by a deployment like every other', async () => {
    const { digest } = pushImage('web:stable', 'v2');
    const mark = product.lines.length;
    const { task_id, summary } = await run('auto-update');
    assert.equal(summary, 'Of 1 units 1 have something newer; 1 begun.');
    await becomes('v2');
    await product.logged(
      (line) => line.msg === 'task ended' && line['unit'] === 'web.service',
      mark,
    );
    const made = (await product.tasks()).find(({ kind }) => kind === 'scheduler');
    assert.deepEqual(
      [made?.status, made?.unit, made?.trigger.source, made?.trigger.request_id],
      ['succeeded', 'web.service', 'scheduler', task_id],
    );
    assert.deepEqual([made?.digests.registry, made?.digests.running], [digest, digest]);
  });

  test('that somebody has given another image by hand is told of', async () => {
    const good = await run('reconcile');
    assert.equal(good.summary, 'Of 1 units 0 do not run what was deployed.');
    command('podman', 'tag', former, `${registry}/web:stable`);
    command('systemctl', '--user', 'restart', 'web.service');
    await becomes('v1');
    const { status, summary, logs } = await run('reconcile');
    assert.deepEqual(
      [status, summary],
      ['succeeded', 'Of 1 units 1 do not run what was deployed.'],
    );
    const warning = logs.find(({ level }) => level === 'warning');
    assert.match(
      warning?.summary ?? '',
      /^web\.service does not run what tsk_\S+ has left it with/,
    );
    assert.equal(await served(PORT), 'v1', 'it was told, and nothing else');
  });

  test('is updated by the process with a clock of its own, where no service runs', async () => {
    pushImage('web:stable', 'v3');
    await product.stop();
    const words = ['scheduler', '--interval', '86400', '--max-iterations', '1'];
    const env = { ...process.env, ...UNITS, PODUP_STATE_DIR: product.stateDir };
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM_FILE, ...words], {
      env: { ...env, PODUP_DEPLOY_SOAK_MS: '500' },
    });
    assert.match(stdout, /^\S+ {2}tsk_\S+ begun$/m, stdout);
    assert.match(stdout, /succeeded: Of 1 units 1 have something newer; 1 begun\.$/m);
    assert.equal(await served(PORT), 'v3', 'it has waited for the deployment');
  });
});
