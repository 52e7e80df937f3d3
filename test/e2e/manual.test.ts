import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { command, countStarts, pushImage, served, startUnit } from '../helpers/lab.ts';
import { systemctl, untilServed } from '../helpers/lab-units.ts';
import { PROGRAM_FILE, Product, TOKEN } from '../helpers/product.ts';

const PORT = 8111;

type Made = { readonly task_id: string; readonly target_image?: string };

/** Everything of the host that a call could change. */
const world = () => [
  command('podman', 'image', 'ls', '--all', '--no-trunc', '--digests'),
  command('podman', 'ps', '--all', '--no-trunc', '--format', '{{.ID}} {{.Names}}'),
  systemctl('show', '--property=InvocationID,NRestarts', 'web.service'),
];

describe('the calls that older scripts know', () => {
  let product: Product;
  before(async () => {
    pushImage('web:stable', 'v1');
    startUnit('web', 'web:stable', PORT);
    await untilServed(PORT, 'v1');
    product = await Product.start({ PODUP_MANUAL_UNITS: 'web' });
  });
  after(() => product[Symbol.asyncDispose]());

  async function carryOut(path: string, body: object) {
    const mark = product.lines.length;
    const { status, body: made } = await product.post<Made>(path, body);
    assert.equal(status, 202, JSON.stringify(made));
    await product.logged(({ msg, task }) => msg === 'task ended' && task === made.task_id, mark);
    return { made, task: await product.task(made.task_id) };
  }

  test('touch nothing in a dry run, and make no task', async () => {
    pushImage('web:stable', 'v2');
    pushImage('web:next', 'v3');
    const before = world();
    for (const [path, body] of [
      ['trigger', { all: true }],
      ['deploy', { all: true }],
      ['services/web', {}],
      ['services/web/upgrade', { image: ':next' }],
    ] as const) {
      const dry = { ...body, dry_run: true };
      const { status, body: told } = await product.post(`/api/manual/${path}`, dry);
      assert.equal(status, 200, JSON.stringify(told));
      assert.match(JSON.stringify(told), /"plan":\{/);
    }
    assert.deepEqual(world(), before);
    assert.deepEqual(await product.tasks(), []);
  });

  test('restart a unit without pulling, and prove it', async () => {
    const { task } = await carryOut('/api/manual/trigger', { units: ['web'], caller: 'ci' });
    assert.equal(task.status, 'succeeded', JSON.stringify(task));
    assert.equal(await served(PORT), 'v1');
    assert.equal(countStarts('web.service', 'v1'), 2);
    assert.match(task.trigger.caller ?? '', /^token:PODUP_TOKEN at \S+, as ci$/);
    assert.equal(task.digests.pulled, null);
  });

  test('bring a unit to what its tag means, and to another one', async () => {
    const deployed = await carryOut('/api/manual/deploy', { all: true, reason: 'release' });
    assert.equal(deployed.task.status, 'succeeded', JSON.stringify(deployed.task));
    await untilServed(PORT, 'v2');
    const upgraded = await carryOut('/api/manual/services/web/upgrade', { image: ':next' });
    assert.equal(upgraded.task.status, 'succeeded', JSON.stringify(upgraded.task));
    assert.match(upgraded.made.target_image ?? '', /\/web:next$/);
    await untilServed(PORT, 'v3');
  });

  test('bring it back where the version is bad, and do nothing twice under one key', async () => {
    pushImage('web:bad', 'v4', '--broken');
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      'idempotency-key': 'once',
    };
    const mark = product.lines.length;
    const ask = async () => {
      const url = `http://${product.address}/api/manual/services/web/upgrade`;
      const answer = await fetch(url, { method: 'POST', headers, body: '{"image":"bad"}' });
      return (await answer.json()) as Made;
    };
    const answers = await Promise.all([ask(), ask(), ask()]);
    const [id] = new Set(answers.map(({ task_id: one }) => one));
    assert.equal(new Set(answers.map(({ task_id: one }) => one)).size, 1);
    await product.logged(({ msg, task }) => msg === 'task ended' && task === id, mark);
    const task = await product.task(id ?? '');
    assert.match(task.error?.code ?? '', /^GATE_/);
    await untilServed(PORT, 'v3');
    assert.deepEqual(await ask(), answers[0]);
  });

  test('come from the command line, which waits until the unit is proven', () => {
    const run = (...words: string[]) =>
      spawnSync(process.execPath, [PROGRAM_FILE, ...words], {
        encoding: 'utf8',
        env: {
          ...process.env,
          PODUP_HTTP_ADDR: product.address,
          PODUP_TOKEN: TOKEN,
          PODUP_STATE_DIR: product.stateDir,
        },
      });
    const starts = countStarts('web.service', 'v3');
    const done = run('trigger-units', 'web', '--caller', 'ops', '--reason', 'it hangs');
    assert.deepEqual([done.status, done.stderr], [0, ''], done.stdout);
    assert.match(done.stdout, /^web\.service -> succeeded: /);
    assert.equal(countStarts('web.service', 'v3'), starts + 1);
    assert.equal(run('trigger-units').status, 2);
  });
});
