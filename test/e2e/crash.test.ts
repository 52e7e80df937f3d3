import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { command, countStarts, pushImage, served, startUnit } from '../helpers/lab.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, type Push, post } from '../helpers/webhook.ts';

const PORT = 8081;

/** A registry that accepts connections and answers nothing: every pull hangs in the middle. */
const registry = {
  freeze: () => command('systemctl', '--user', 'kill', '--signal=STOP', 'lab-registry'),
  thaw: () => command('systemctl', '--user', 'kill', '--signal=CONT', 'lab-registry'),
};

/** Names of the transient units that run a task now. */
function taskUnits(): string[] {
  const listed = command(
    ...(['systemctl', '--user', 'list-units', '--plain', '--no-legend', 'podup-task-*'] as const),
  );
  return listed.split('\n').flatMap((line) => line.match(/^podup-task-\S+/)?.[0] ?? []);
}

describe('a crash', () => {
  let product: Product;
  let version = 1;

  before(async () => {
    // No wait between a death and the next start: the tests kill far more often than a real host.
    const environment = {
      PODUP_RESTART_BACKOFF_INITIAL_MS: '10',
      PODUP_RESTART_BACKOFF_MAX_MS: '20',
    };
    pushImage('web:stable', 'v1');
    startUnit('web', 'web:stable', PORT);
    product = await Product.start({
      ...environment,
      PODUP_MANUAL_UNITS: 'web',
      PODUP_REGISTRY_TIMEOUT_MS: '60000',
    });
  });
  after(() => product[Symbol.asyncDispose]());

  function next(...options: string[]): { push: Push; name: string } {
    version++;
    return { push: pushImage('web:stable', `v${version}`, ...options), name: `v${version}` };
  }

  /** Posts a push and stops the registry while podman pulls it; the task. */
  async function catchInPull(push: Push): Promise<string> {
    await report(push);
    const id = await until('podman pulls', PATIENCE_MS, async () => {
      return (await product.tasks()).find(({ phase }) => phase === 'pulling-image')?.task_id;
    });
    registry.freeze();
    assert.equal((await product.task(id)).phase, 'pulling-image');
    return id;
  }

  const endOf = async (id: string) => {
    await product.logged((line) => line.msg === 'task ended' && line['task'] === id);
    return product.task(id);
  };

  async function report(push: Push): Promise<void> {
    const body = makeBody('registry_package', push);
    const url = `http://${product.address}/github-package-update/web`;
    const { status } = await post(url, body, makeHeaders('registry_package', body));
    assert.equal(status, 202);
  }

  const workers = () => product.lines.filter(({ msg }) => msg === 'worker ready').length;

  async function killWorker(): Promise<void> {
    const count = workers();
    process.kill(product.workerPid, 'SIGKILL');
    await product.ready(count + 1);
  }

  const becomes = (name: string) =>
    until(`the unit serves ${name}`, PATIENCE_MS, async () => (await served(PORT)) === name);

  /** Every task has a final state, and the version was started exactly once. */
  async function settled(name: string): Promise<void> {
    await becomes(name);
    const open = await until('no task is open', PATIENCE_MS, async () => {
      const tasks = await product.tasks();
      return tasks.every(({ status }) => status === 'succeeded' || status === 'skipped') && tasks;
    });
    assert.ok(open.length > 0);
    assert.equal(countStarts('web.service', name), 1);
  }

  test('of the worker right after the 202 delays the deployment and does not repeat it', async () => {
    const { push, name } = next();
    await report(push);
    await killWorker();
    await settled(name);
  });

  for (const delayMs of [2, 20, 60, 120, 250, 500, 800, 1100]) {
    test(`of the worker ${delayMs} ms after the 202 neither loses nor repeats the deployment`, async () => {
      const { push, name } = next();
      await report(push);
      const until = performance.now() + delayMs;
      // Spinning and not waiting, for the moment of the kill is the point.
      while (performance.now() < until);
      await killWorker();
      await settled(name);
    });
  }

  test('of the worker in the middle of a pull leaves the task to its own unit', async () => {
    const { push, name } = next('--pad', '32');
    const id = await catchInPull(push);
    const units = taskUnits();
    assert.equal(units.length, 1);
    await killWorker();
    assert.deepEqual(taskUnits(), units);
    registry.thaw();
    await settled(name);
    const task = await endOf(id);
    assert.deepEqual([task.status, task.attempts], ['succeeded', 1]);
  });

  test('of the task in the middle of a pull is noticed at once, and the task begins again', async () => {
    const { push, name } = next('--pad', '32');
    const id = await catchInPull(push);
    const mark = product.lines.length;
    command('systemctl', '--user', 'kill', '--signal=KILL', ...taskUnits());
    await product.logged(({ msg }) => msg === 'task begins again', mark);
    registry.thaw();
    await settled(name);
    const task = await endOf(id);
    assert.deepEqual([task.status, task.attempts], ['succeeded', 2]);
    assert.ok(task.logs.some(({ action }) => action === 'task-resumed'));
  });

  test('of worker and task together is healed by the next worker', async () => {
    const { push, name } = next('--pad', '32');
    await catchInPull(push);
    const count = workers();
    process.kill(product.workerPid, 'SIGKILL');
    command('systemctl', '--user', 'kill', '--signal=KILL', ...taskUnits());
    registry.thaw();
    await product.ready(count + 1);
    await settled(name);
  });

  test('of the task again and again ends as a failed task that says so', async () => {
    const { push, name } = next();
    registry.freeze();
    await report(push);
    const open = await until('a task is open', PATIENCE_MS, async () => {
      return (await product.tasks()).find(({ finished_at }) => finished_at === null);
    });
    for (let attempt = 1; attempt <= 3; attempt++) {
      await until(`attempt ${attempt} runs`, PATIENCE_MS, () =>
        taskUnits().some((unit) => unit.endsWith(`-${attempt}.service`)),
      );
      command('systemctl', '--user', 'kill', '--signal=KILL', ...taskUnits());
    }
    const task = await endOf(open.task_id);
    registry.thaw();
    assert.deepEqual([task.status, task.attempts], ['failed', 3]);
    assert.match(String(task.error?.code), /^TASK_(LOST|DISPATCH_FAILED)$/);
    // A redelivery of what failed is processed again.
    const body = makeBody('registry_package', push);
    const [delivery] = task.deliveries;
    const url = `http://${product.address}/github-package-update/web`;
    const headers = makeHeaders('registry_package', body, delivery?.delivery);
    assert.equal((await post(url, body, headers)).answer['verdict'], 'accepted');
    await becomes(name);
  });
});
