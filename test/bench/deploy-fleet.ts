import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { TaskDetailView, TaskView } from '../../app/api/views.ts';
import { command, pushImage, startUnit } from '../helpers/lab.ts';
import { Product } from '../helpers/product.ts';
import { makeBody, makeHeaders, type Push, post } from '../helpers/webhook.ts';

const FIRST_PORT = 18_000;
/** A unit that is deployed before the others, and not measured. */
const WARM_UP = 'warm-up';
/** Twenty units, one after the other, with the default soak; and half of that again. */
const DEPLOYED_WITHIN_MS = 360_000;
const LOOK_EVERY_MS = 20;
/** As `PODUP_DEPLOY_SOAK_MS` is where nobody sets it. */
export const DEFAULT_SOAK_MS = 10_000;

const execute = promisify(execFile);

/** How long something took. */
export type Span = {
  readonly seconds: number;
  /** Of CPU, of all processes of the lab: of what systemd, podman and the containers did, too. */
  readonly cpuSeconds: number;
};

/** How the units were deployed, from the first post to the end of the last task's process. */
export type Measured = Span & {
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
    fleet.#push([...names, WARM_UP]);
    for (const [at, name] of [...names, WARM_UP].entries()) {
      startUnit(name, `${name}:stable`, FIRST_PORT + at);
    }
    return fleet;
  }

  get size(): number {
    return this.#names.length;
  }

  /**
   * A new image for each unit, reported all at once, deployed by a service with these settings, which has deployed
   * before, as one that runs for days has.
   */
  async deploy(settings: {
    readonly concurrency: string;
    /** What is waited on purpose: for further deliveries of a push, and whether a unit goes on; absent: as users have it. */
    readonly waitsMs?: string;
  }): Promise<Measured> {
    await using product = await Product.start({
      PODUP_MANUAL_UNITS: [...this.#names, WARM_UP].join(','),
      PODUP_TASK_CONCURRENCY: settings.concurrency,
      // What tests otherwise begin it with is shorter than what users have.
      PODUP_DEPLOY_SOAK_MS: settings.waitsMs ?? String(DEFAULT_SOAK_MS),
      ...(settings.waitsMs !== undefined && { PODUP_WEBHOOK_WINDOW_MS: settings.waitsMs }),
    });
    const ends = countEnds(product);
    await report(makeDeliveries(product, this.#push([WARM_UP])));
    await ends.until(1);
    // It ends by itself where nobody has asked it for a while.
    command('systemctl', '--user', 'stop', 'podup-podman-*.service');
    const deliveries = makeDeliveries(product, this.#push());
    const taken = startSpan();
    await report(deliveries);
    await ends.until(1 + this.size);
    const span = taken();
    const tasks = await this.#readTasks(product, Number(settings.concurrency));
    return { ...span, tasks };
  }

  /** A new image for each unit, deployed by podman itself. */
  async autoUpdate(): Promise<Span> {
    this.#push();
    const taken = startSpan();
    const format = '{{.Unit}} {{.Updated}}';
    const said = command('podman', 'auto-update', '--format', format).trim().split('\n');
    const span = taken();
    const updated = said.filter((line) => line.endsWith(' true'));
    if (updated.length !== this.size) throw new Error(said.join('\n'));
    return span;
  }

  /**
   * Restarts of the units and nothing else, so many at a time: what no way of deploying them on this machine can go
   * below.
   */
  async restart(concurrency: number): Promise<Span> {
    const waiting = [...this.#names];
    const taken = startSpan();
    const restartNext = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        await execute('systemctl', ['--user', 'restart', `${name}.service`]);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, restartNext));
    return taken();
  }

  #push(names: readonly string[] = this.#names): Push[] {
    const version = `v${this.#version++}`;
    return names.map((name) => pushImage(`${name}:stable`, version));
  }

  /** What was done, which has to be what was asked for: each unit once, so many at a time, the oldest first. */
  async #readTasks(product: Product, concurrency: number): Promise<TaskDetailView[]> {
    const tasks = (await product.tasks()).filter(({ unit }) => unit !== `${WARM_UP}.service`);
    const units = new Set(tasks.map(({ unit }) => unit));
    const bad = tasks.filter(({ status }) => status !== 'succeeded');
    if (bad.length > 0 || units.size !== this.size) throw new Error(JSON.stringify(bad));
    const atATime = mostAtATime(tasks);
    if (atATime > concurrency) throw new Error(`${atATime} tasks ran at a time`);
    return Promise.all(tasks.map(({ task_id }) => product.task(task_id)));
  }
}

type Delivery = readonly [url: string, body: string, headers: Readonly<Record<string, string>>];

function makeDeliveries(product: Product, pushes: readonly Push[]): Delivery[] {
  return pushes.map((push) => {
    const body = makeBody('registry_package', push);
    const url = `http://${product.address}/github-package-update/${push.repository.split('/').at(-1)}`;
    return [url, body, makeHeaders('registry_package', body)];
  });
}

/** All at once. */
async function report(deliveries: readonly Delivery[]): Promise<void> {
  const answers = await Promise.all(deliveries.map((delivery) => post(...delivery)));
  if (answers.some(({ status }) => status !== 202)) throw new Error(JSON.stringify(answers));
}

/** Counts the tasks that have ended, each line of the log looked at once: what is measured runs beside it. */
function countEnds(product: Product) {
  let [ended, at] = [0, 0];
  return {
    until: async (count: number): Promise<void> => {
      const limit = performance.now() + DEPLOYED_WITHIN_MS;
      for (;;) {
        for (; at < product.lines.length; at++)
          if (product.lines[at]?.msg === 'task ended') ended++;
        if (ended >= count) return;
        if (performance.now() > limit) throw new Error(`not deployed in time:\n${product.output}`);
        await delay(LOOK_EVERY_MS);
      }
    },
  };
}

function startSpan(): () => Span {
  const [startedAt, cpuSeconds] = [performance.now(), readCpuSeconds()];
  return () => ({
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: readCpuSeconds() - cpuSeconds,
  });
}

/** What everything in the lab's control group has used (cgroups(7), cpu.stat). */
function readCpuSeconds(): number {
  const [, used] =
    /^usage_usec (\d+)$/m.exec(readFileSync('/sys/fs/cgroup/cpu.stat', 'utf8')) ?? [];
  return Number(used) / 1e6;
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
