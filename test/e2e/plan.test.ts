import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { PlanView } from '../../app/api/deployment-views.ts';
import { command, countStarts, pushImage, served, startUnit } from '../helpers/lab.ts';
import { PATIENCE_MS, PROGRAM_FILE, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';

const PORT = 8081;

const untilServed = (version: string) =>
  until(version, PATIENCE_MS, async () => (await served(PORT)) === version);

/** Everything of the host that a deployment could change. */
const world = () => [
  command('podman', 'image', 'ls', '--all', '--no-trunc', '--digests'),
  command('podman', 'ps', '--all', '--no-trunc', '--format', '{{.ID}} {{.Names}}'),
  command('systemctl', '--user', 'show', '--property=InvocationID,NRestarts', 'web.service'),
];

describe('a deployment at the word of a person', () => {
  let product: Product;
  before(async () => {
    pushImage('web:stable', 'v1');
    startUnit('web', 'web:stable', PORT);
    await untilServed('v1');
    product = await Product.start({ PODUP_MANUAL_UNITS: 'web' });
  });
  after(() => product[Symbol.asyncDispose]());

  const ask = <T>(body: unknown) => product.post<T>('/api/deployments', body);

  async function carryOut(body: unknown) {
    const mark = product.lines.length;
    const { status } = await ask(body);
    assert.equal(status, 202);
    return product.ended(mark);
  }

  test('is shown by a dry run that touches nothing, and is done as it was shown', async () => {
    const push = pushImage('web:stable', 'v2');
    const before = world();
    const { status, body: plan } = await ask<PlanView>({ unit: 'web', dry_run: true });
    assert.equal(status, 200, JSON.stringify(plan));
    assert.deepEqual(world(), before);
    assert.deepEqual([plan.outcome, plan.wanted_digest], ['deploy', push.digest]);
    assert.deepEqual([plan.expected_down_ms, plan.from_deployments], [null, 0]);
    assert.equal((await product.tasks()).length, 0);
    const task = await carryOut({ plan_id: plan.plan_id, reason: 'It is time.' });
    assert.equal(task.status, 'succeeded', JSON.stringify(task));
    assert.equal(task.digests.running, push.digest);
    assert.deepEqual([task.kind, task.trigger.reason], ['manual', 'It is time.']);
    const argvs = task.logs
      .filter(({ action }) => action === 'command')
      .map(({ meta }) => (meta as { argv: string[] }).argv);
    const done = argvs.filter(
      ([file, verb]) => (file === 'podman' && /^(pull|tag)$/.test(verb ?? '')) || verb === '--user',
    );
    const changing = done.filter((argv) => !argv.includes('show') && argv[0] !== 'busctl');
    // What is tagged is named by its id once it is here.
    const said = (list: readonly (readonly string[])[]) =>
      list.map((argv) =>
        argv
          .slice(0, 3)
          .join(' ')
          .replace(/ [0-9a-f]{64}$| \S+@sha256:\S+$/, ''),
      );
    assert.deepEqual(said(changing), said(plan.commands));
    await untilServed('v2');
  });

  test('whose world has changed is a 409 that says how, once; and a plan that is over is a 404', async () => {
    const first = pushImage('web:stable', 'v3');
    const { body: plan } = await ask<PlanView>({ unit: 'web', dry_run: true });
    assert.ok((plan.expected_down_ms ?? 0) > 0);
    const second = pushImage('web:stable', 'v4');
    const refused = await ask<{ code: string; detail: string }>({ plan_id: plan.plan_id });
    assert.deepEqual([refused.status, refused.body.code], [409, 'PLAN_CHANGED']);
    assert.ok(
      refused.body.detail.includes(first.digest) && refused.body.detail.includes(second.digest),
    );
    const { body: other } = await ask<PlanView>({ unit: 'web', dry_run: true });
    assert.equal((await carryOut({ plan_id: other.plan_id })).status, 'succeeded');
    const again = await ask<{ code: string }>({ plan_id: other.plan_id });
    assert.deepEqual([again.status, again.body.code], [404, 'PLAN_NOT_FOUND']);
    await untilServed('v4');
  });

  test('takes another version, and back to one that is held while the registry is down', async () => {
    pushImage('web:next', 'v5');
    assert.equal((await carryOut({ unit: 'web', version: ':next' })).status, 'succeeded');
    await untilServed('v5');
    const held = command('podman', 'image', 'ls', '--format', '{{.Repository}}:{{.Tag}}')
      .split('\n')
      .filter((name) => name.startsWith('localhost/podup/rollback:web.service-'))
      .sort()
      .at(-1);
    command('systemctl', '--user', 'stop', 'lab-registry');
    const back = await carryOut({ unit: 'web', version: held });
    command('systemctl', '--user', 'start', 'lab-registry');
    assert.equal(back.status, 'succeeded', JSON.stringify(back));
    await untilServed('v4');
  });

  test('of a unit that is not one of ours, and of another program, is refused', async () => {
    const other = await ask<{ code: string }>({ unit: 'lab-registry', dry_run: true });
    assert.deepEqual([other.status, other.body.code], [404, 'UNIT_NOT_CONFIGURED']);
    const foreign = { unit: 'web', version: '127.0.0.1:5000/db:stable', dry_run: true };
    const refused = await ask<{ code: string }>(foreign);
    assert.deepEqual([refused.status, refused.body.code], [422, 'VERSION_NOT_OF_UNIT']);
    for (const body of [{}, { unit: '' }, { unit: 'web', plan_id: 'pln_1' }, { plan_id: 'x' }]) {
      assert.equal((await ask(body)).status, 400, JSON.stringify(body));
    }
    assert.equal(countStarts('web.service', 'v1'), 1);
  });

  test('is asked for by the command line in the same words', () => {
    const run = (...words: string[]) =>
      spawnSync(process.execPath, [PROGRAM_FILE, ...words], {
        encoding: 'utf8',
        env: {
          ...process.env,
          PODUP_HTTP_ADDR: product.address,
          PODUP_TOKEN: 'admin-token-of-the-tests',
          PODUP_STATE_DIR: product.stateDir,
        },
      });
    const shown = run('deploy', 'web', '--to', ':stable', '--dry-run');
    assert.equal(shown.status, 0, shown.stderr);
    assert.match(shown.stdout, /^web\.service: (deploy|nothing)\..*\n {2}runs/);
    const refused = run('deploy', 'nobody');
    assert.deepEqual([refused.status, refused.stdout], [1, '']);
    assert.match(refused.stderr, /^UNIT_NOT_CONFIGURED: /);
    assert.equal(run('deploy').status, 2);
    assert.match(run('stop-task', 'tsk_0').stderr, /^TASK_NOT_FOUND/);
  });
});
