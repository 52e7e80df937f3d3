/**
 * What it costs when many watch one running task that prints a thousand lines a second. Prints a table; exit code 0: all
 * is reached, 1: something is missed.
 *   node test/bench/live.ts [--rounds N] [--seconds N] [--viewers N]
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openStore } from '../../app/db/store.ts';
import { newIdentifier } from '../../app/intake/new-identifier.ts';
import { Product, TOKEN } from '../helpers/product.ts';
import { newTask } from '../helpers/store.ts';
import { cpuMs } from './cpu-time.ts';
import { median } from './median.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '12' },
    viewers: { type: 'string', default: '200' },
  },
});
const seconds = Number(values.seconds);
const viewers = Number(values.viewers);

/** What is to be reached. */
const CPU_TO_ONE = 2;
/** Of the memory after the first round; what the collector has not taken yet is a tenth of it. */
const MEMORY_GROWTH = 1.2;
const MB = 1e6;

/** Before the program ends. */
const REST_MS = 1_000;
/** Until all have connected and the program prints. */
const SETTLE_MS = 3_000;

type Cost = { readonly worker: number; readonly task: number };

function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/**
 * One task, watched by so many, none of whom misses a line or this throws: milliseconds of CPU per second once all have
 * connected. With `cuts` every second one cuts itself off in the middle and comes again.
 */
async function watch(product: Product, count: number, cuts = false): Promise<Cost> {
  const path = join(product.stateDir, 'data/pod-upgrade-trigger.db');
  const opened = openStore(path, { version: 'bench', nowMs: Date.now() });
  if (!opened.ok) throw new Error(opened.failure.detail);
  const { tasks } = opened.value;
  const id = newIdentifier('tsk');
  tasks.insert(newTask({ id, created_at: Date.now() }));
  tasks.markDispatched(id, 'child', Date.now());
  tasks.claim({ id, attempts: 1 }, Date.now());
  opened.value.close();

  const url = `http://${product.address}/sse/task-logs?task_id=${id}`;
  const script = (name: string, ...args: string[]) => [join(import.meta.dirname, name), ...args];
  const readers = spawn(
    process.execPath,
    script('live-viewers.ts', url, TOKEN, String(count), String(seconds * 1000), String(cuts)),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let said = '';
  readers.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const read = once(readers, 'close');
  const task = spawn(process.execPath, script('live-task.ts', path, id, values.seconds), {
    stdio: 'inherit',
  });
  const ended = once(task, 'exit');
  await delay(SETTLE_MS);
  const from = {
    at: performance.now(),
    worker: cpuMs(product.workerPid),
    task: cpuMs(task.pid ?? 0),
  };
  await delay(seconds * 1000 - SETTLE_MS - REST_MS);
  const lasted = (performance.now() - from.at) / 1000;
  const worker = cpuMs(product.workerPid) - from.worker;
  const own = cpuMs(task.pid ?? 0) - from.task;
  await ended;
  await read;
  const result = JSON.parse(said) as { viewers: number; whole: number; connections: number };
  if (result.whole !== count) throw new Error(`${JSON.stringify(result)}: not all had every line`);
  return { worker: worker / lasted, task: own / lasted };
}

execFileSync(process.execPath, [join(import.meta.dirname, '../../scripts/build.ts')]);
await using product = await Product.start();
console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(2)}, Node ${process.version}`,
);
const one: Cost[] = [];
const many: Cost[] = [];
const memory: number[] = [];
for (let round = 0; round < Number(values.rounds); round++) {
  one.push(await watch(product, 1));
  many.push(await watch(product, viewers));
  memory.push(memoryOf(product.workerPid));
}
const cut = await watch(product, viewers, true);
memory.push(memoryOf(product.workerPid));
const of = (costs: readonly Cost[]) => median(costs.map(({ worker }) => worker));
const ratio = of(many) / of(one);
const growth = (memory.at(-1) ?? 0) / (memory[0] ?? 1);
const mark = (isReached: boolean) => (isReached ? '' : '  MISSED');
console.log(`\n1,000 lines a second for ${seconds} s, ${values.rounds} rounds; CPU of the worker`);
console.log(`${of(one).toFixed(1).padStart(8)} ms/s  one reader`);
console.log(
  `${of(many).toFixed(1).padStart(8)} ms/s  ${viewers} readers; all had every line in order`,
);
console.log(
  `${cut.worker.toFixed(1).padStart(8)} ms/s  the same, while half of them are cut off and come again; all had every line in order`,
);
console.log(
  `${median(one.map(({ task }) => task))
    .toFixed(1)
    .padStart(8)} ms/s  the task itself, beside it`,
);
console.log(
  `${ratio.toFixed(2).padStart(8)}       (to reach <= ${CPU_TO_ONE})${mark(ratio <= CPU_TO_ONE)}`,
);
console.log(
  `memory after each round of ${viewers}: ${memory.map((bytes) => (bytes / MB).toFixed(1)).join(' ')} MB, ${growth.toFixed(2)} (to reach <= ${MEMORY_GROWTH})${mark(growth <= MEMORY_GROWTH)}`,
);
process.exitCode = ratio <= CPU_TO_ONE && growth <= MEMORY_GROWTH ? 0 : 1;
