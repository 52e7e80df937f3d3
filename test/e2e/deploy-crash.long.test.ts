import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TaskDetailView } from '../../app/api/views.ts';
import { isFinal, type TaskPhase } from '../../app/domain/task.ts';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { findProcesses } from '../helpers/processes.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, type Push, post } from '../helpers/webhook.ts';

const PORT = 8091;
const SETTLED_MS = 90_000;
const VICTIMS = ['task', 'worker', 'podman', 'conmon'] as const;
type Victim = (typeof VICTIMS)[number];

const OF_GOOD: readonly TaskPhase[] = [
  'pulling-image',
  'holding-image',
  'tagging-image',
  'restarting',
  'verifying',
];
const OF_BAD: readonly TaskPhase[] = ['restarting', 'verifying', 'diagnosing', 'rolling-back'];

describe('whatever is killed in the middle of a deployment', () => {
  let product: Product;
  let version = 1;
  let serving = 'v1';

  before(async () => {
    pushImage('web:stable', 'v1');
    startUnit('web', 'web:stable', PORT);
    product = await Product.start({
      PODUP_MANUAL_UNITS: 'web',
      PODUP_RESTART_BACKOFF_INITIAL_MS: '10',
      PODUP_RESTART_BACKOFF_MAX_MS: '20',
      PODUP_DEPLOY_SOAK_MS: '1500',
      PODUP_DEPLOY_START_TIMEOUT_MS: '20000',
    });
  });
  after(() => product[Symbol.asyncDispose]());

  async function report(push: Push): Promise<void> {
    const body = makeBody('registry_package', push);
    const url = `http://${product.address}/github-package-update/web`;
    const { status } = await post(url, body, makeHeaders('registry_package', body));
    assert.equal(status, 202);
  }

  /** The task of a push, once it is in the phase; what has ended by then was too quick to be caught. */
  async function catchIn(phase: TaskPhase, known: ReadonlySet<string>): Promise<string> {
    return until(`a task is ${phase}`, PATIENCE_MS, async () => {
      const task = (await product.tasks()).find(({ task_id }) => !known.has(task_id));
      if (task && isFinal(task.status)) return task.task_id;
      return task?.phase === phase && task.task_id;
    });
  }

  async function kill(victim: Victim): Promise<void> {
    switch (victim) {
      case 'task':
        return void command('sh', '-c', 'systemctl --user kill --signal=KILL "podup-task-*" || :');
      case 'worker':
        return void process.kill(product.workerPid, 'SIGKILL');
      case 'podman':
      case 'conmon':
        for (const pid of findProcesses(victim === 'podman' ? 'podman\0' : 'conmon\0')) {
          try {
            process.kill(pid, 'SIGKILL');
          } catch {
            // It has ended.
          }
        }
    }
  }

  const endOf = (id: string): Promise<TaskDetailView> =>
    until(`the end of ${id}`, SETTLED_MS, async () => {
      const task = await product.task(id).catch(() => undefined);
      return task && isFinal(task.status) && task;
    });

  /** What runs is what the record says, and the name that the unit uses means it. */
  async function check(task: TaskDetailView, name: string): Promise<void> {
    const expected = task.status === 'succeeded' ? name : serving;
    await until(
      `${expected} is served`,
      PATIENCE_MS,
      async () => (await served(PORT)) === expected,
    );
    serving = expected;
    const show = (...words: string[]) => command('podman', ...words).trim();
    const running = show('inspect', '--format', '{{.Image}}', 'web');
    const tagged = show('image', 'inspect', '--format', '{{.Id}}', '127.0.0.1:5000/web:stable');
    assert.equal(running, tagged, 'the next start runs what runs now');
    // What was killed only after the end of the task systemd brings back by itself.
    await until('the unit is active', PATIENCE_MS, () => {
      const state = command('systemctl', '--user', 'show', '--value', '-PActiveState', 'web');
      return Promise.resolve(state.trim() === 'active');
    });
  }

  for (const [phases, options] of [
    [OF_GOOD, []],
    [OF_BAD, ['--unhealthy']],
  ] as const) {
    for (const phase of phases) {
      for (const victim of VICTIMS) {
        const image = options.length === 0 ? 'good' : 'bad';
        test(`${victim}, while a ${image} image is ${phase}: one whole version serves`, async (t) => {
          version++;
          const name = `v${version}`;
          const known = new Set((await product.tasks()).map(({ task_id }) => task_id));
          await report(pushImage('web:stable', name, ...options));
          const id = await catchIn(phase, known);
          await kill(victim);
          const task = await endOf(id);
          t.diagnostic(`${task.status} ${task.error?.code ?? ''} after ${task.attempts} attempts`);
          if (image === 'bad') assert.equal(task.status, 'failed', JSON.stringify(task.error));
          await check(task, name);
        });
      }
    }
  }
});
