/**
 * What the program costs while nothing happens: supervisor and worker with every job of the schedule on and many units to
 * know of. Prints the part of one CPU; exit code 0: reached, 1: missed.
 *   node test/bench/idle.ts [--seconds N] [--rounds N] [--units N]
 */
import { cpus, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ScheduleView } from '../../app/api/schedule-views.ts';
import { Product } from '../helpers/product.ts';
import { cpuMs } from './cpu-time.ts';
import { median } from './median.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '3' },
    units: { type: 'string', default: '50' },
  },
});
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const units = Number(values.units);

/** What is to be reached, of one CPU in percent. */
const WORKER_PERCENT = 0.2;
/** What a start leaves behind is over by then. */
const SETTLE_MS = 15_000;

const names = Array.from({ length: units }, (_, at) => `bench-${at}.service`);
await using product = await Product.start({
  PODUP_MANUAL_UNITS: names.join(','),
  PODUP_TASK_EXECUTOR: 'child',
  PODUP_SELF_UPDATE_CRON: '*/5 * * * *',
  PODUP_MISSED_DELIVERIES_CRON: '29 * * * *',
  PODUP_LOG_LEVEL: 'info',
});
const { jobs } = await product.api<ScheduleView>('/api/schedule');
const off = jobs.filter(({ cron }) => cron === 'off').map(({ name }) => name);
if (off.length > 0) throw new Error(`Not on: ${off.join(', ')}.`);
await delay(SETTLE_MS);

const percentOf = (ms: number) => (ms / (seconds * 1_000)) * 100;
const workers: number[] = [];
const supervisors: number[] = [];
console.log(
  `${jobs.length} jobs, ${units} units, ${rounds} rounds of ${seconds} s, ${cpus().length} CPUs, load ${loadavg()[0]?.toFixed(1)}`,
);
for (let round = 1; round <= rounds; round++) {
  const { workerPid } = product;
  const supervisorPid = Number(product.supervisor.pid);
  const before = { worker: cpuMs(workerPid), supervisor: cpuMs(supervisorPid) };
  await delay(seconds * 1_000);
  workers.push(percentOf(cpuMs(workerPid) - before.worker));
  supervisors.push(percentOf(cpuMs(supervisorPid) - before.supervisor));
  const [worker = 0, supervisor = 0] = [workers.at(-1), supervisors.at(-1)];
  console.log(
    `round ${round}: worker ${worker.toFixed(3)} %, supervisor ${supervisor.toFixed(3)} %`,
  );
}
const worker = median(workers);
console.log(`worker ${worker.toFixed(3)} % of a CPU, to reach <= ${WORKER_PERCENT} %`);
console.log(`supervisor ${median(supervisors).toFixed(3)} % of a CPU`);
process.exitCode = worker <= WORKER_PERCENT ? 0 : 1;
