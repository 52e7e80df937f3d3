import { setTimeout as delay } from 'node:timers/promises';
import type { TaskDetailView, TaskView } from '../../app/api/views.ts';
import { command, pushImage, startUnit } from '../helpers/lab.ts';
import { Product } from '../helpers/product.ts';
import { makeBody, makeHeaders, type Push, post } from '../helpers/webhook.ts';

const FIRST_PORT = 18_000;
/** Twenty units, one after the other, with the default soak; and half of that again. */
const DEPLOYED_WITHIN_MS = 360_000;
const LOOK_EVERY_MS = 20;

/** How the units were deployed. */
export type Measured = {
  /** From the first post to the end of the last task's process. */
  readonly seconds: number;
  readonly tasks: readonly TaskDetailView[];
};

/** Units of the lab, each with an image of its own, that are given new images again and again. */
export class Fleet {
  readonly #names: readonly string[];
  #version = 1;

  private constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** Starts so many units on their first images. */
  static async start(count: number): Promise<Fleet> {
    const names = Array.from({ length: count }, (_, at) => `fleet${String(at).padStart(2, '0')}`);
    const fleet = new Fleet(names);
    fleet.#push();
    for (const [at, name] of names.entries()) startUnit(name, `${name}:stable`, FIRST_PORT + at);
    return fleet;
  }

  get size(): number {
    return this.#names.length;
  }

  /** A new image for each unit, reported all at once, deployed by a service with these settings. */
  async deploy(settings: {
    readonly concurrency: string;
    readonly soakMs?: string;
  }): Promise<Measured> {
    await using product = await Product.start({
      PODUP_MANUAL_UNITS: this.#names.join(','),
      PODUP_TASK_CONCURRENCY: settings.concurrency,
      PODUP_DEPLOY_SOAK_MS: settings.soakMs ?? '10000',
    });
    const deliveries = this.#push().map((push, at) => {
      const body = makeBody('registry_package', push);
      const url = `http://${product.address}/github-package-update/${this.#names[at]}`;
      return { url, body, headers: makeHeaders('registry_package', body) };
    });
    const postedAt = performance.now();
    const answers = await Promise.all(
      deliveries.map(({ url, body, headers }) => post(url, body, headers)),
    );
    if (answers.some(({ status }) => status !== 202)) throw new Error(JSON.stringify(answers));
    await this.#untilEnded(product);
    const seconds = (performance.now() - postedAt) / 1000;
    const tasks = await this.#readTasks(product, Number(settings.concurrency));
    return { seconds, tasks };
  }

  /** A new image for each unit, deployed by podman itself; seconds. */
  async autoUpdate(): Promise<number> {
    this.#push();
    const startedAt = performance.now();
    const format = '{{.Unit}} {{.Updated}}';
    const said = command('podman', 'auto-update', '--format', format).trim().split('\n');
    const seconds = (performance.now() - startedAt) / 1000;
    const updated = said.filter((line) => line.endsWith(' true'));
    if (updated.length !== this.size) throw new Error(said.join('\n'));
    return seconds;
  }

  #push(): Push[] {
    const version = `v${this.#version++}`;
    return this.#names.map((name) => pushImage(`${name}:stable`, version));
  }

  async #untilEnded(product: Product): Promise<void> {
    const limit = performance.now() + DEPLOYED_WITHIN_MS;
    const ended = () => product.lines.filter(({ msg }) => msg === 'task ended').length;
    while (ended() < this.size) {
      if (performance.now() > limit) throw new Error(`not deployed in time:\n${product.output}`);
      await delay(LOOK_EVERY_MS);
    }
  }

  /** What was done, which has to be what was asked for: each unit once, so many at a time, the oldest first. */
  async #readTasks(product: Product, concurrency: number): Promise<TaskDetailView[]> {
    const tasks = await product.tasks();
    const units = new Set(tasks.map(({ unit }) => unit));
    const bad = tasks.filter(({ status }) => status !== 'succeeded');
    if (bad.length > 0 || units.size !== this.size) throw new Error(JSON.stringify(bad));
    const atATime = mostAtATime(tasks);
    if (atATime > concurrency) throw new Error(`${atATime} tasks ran at a time`);
    return Promise.all(tasks.map(({ task_id }) => product.task(task_id)));
  }
}

function mostAtATime(tasks: readonly TaskView[]): number {
  const began = (task: TaskView) => Date.parse(task.started_at ?? '');
  const ended = (task: TaskView) => Date.parse(task.finished_at ?? '');
  const counts = tasks.map((task) => {
    const isOpen = (other: TaskView) => began(other) <= began(task) && ended(other) > began(task);
    return tasks.filter(isOpen).length;
  });
  return Math.max(...counts);
}
