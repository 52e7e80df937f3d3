/**
 * The store with ten million events and two hundred thousand tasks: how fast events are taken in, how long each page of
 * a list takes, whether a start pays for it, and how long the chain takes to be verified. Exit code 0: everything that
 * is to be reached is reached, 1: something is missed.
 *   node test/bench/store.ts [--events N] [--tasks N] [--asks N]
 */
import { mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openStore, type Store } from '../../app/db/store.ts';
import { median } from './median.ts';
import { insertEvents, SPAN_MS } from './store-data.ts';
import { makeEventQuestions, type Question } from './store-questions.ts';
import { insertTasks, makeTaskQuestions } from './store-tasks.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000000' },
    tasks: { type: 'string', default: '200000' },
    asks: { type: 'string', default: '300' },
  },
});
const [eventCount, taskCount, asks] = [values.events, values.tasks, values.asks].map(Number) as [
  number,
  number,
  number,
];

/** What is to be reached. */
const ROWS_PER_SECOND = 20_000;
const P95_MS = 50;
/** A start with the full database, compared with an empty one: the difference, in milliseconds. */
const START_DIFFERENCE_MS = 20;
/** What a row and its places in the indexes take, with room to spare. */
const BYTES_PER_EVENT = 1_000;
const STARTS = 21;

let isReached = true;
const folder = mkdtempSync(join(tmpdir(), 'podup-bench-store-'));
try {
  run();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = isReached ? 0 : 1;

function run(): void {
  const { bavail, bsize } = statfsSync(folder);
  const needed = (eventCount + taskCount) * BYTES_PER_EVENT;
  if (bavail * bsize < needed) throw new Error(`${needed} bytes are needed in ${tmpdir()}.`);
  console.log(
    `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(2)}, Node ${process.version}`,
  );
  const path = join(folder, 'full.db');
  const store = open(path);
  const startMs = Date.now() - SPAN_MS;
  const tasks = insertTasks(store, taskCount);
  const made = insertEvents(store, eventCount, tasks, startMs);
  const rate = (eventCount / made.tookMs) * 1000;
  console.log(`${eventCount} events, ${taskCount} tasks`);
  judge(
    rate >= ROWS_PER_SECOND,
    `inserted: ${rate.toFixed(0)} events/s (to reach >= ${ROWS_PER_SECOND})`,
  );
  store.close();
  const bytes = statSync(path).size;
  console.log(
    `size: ${(bytes / 1e9).toFixed(2)} GB, ${(bytes / eventCount).toFixed(0)} bytes for each event`,
  );
  measureStart(path);
  const reader = open(path);
  console.log('\n  p50 ms  p95 ms  p99 ms  question');
  for (const question of makeEventQuestions(reader, made, eventCount)) measure(question);
  for (const question of makeTaskQuestions(reader)) measure(question);
  verify(reader);
  reader.close();
}

function open(path: string): Store {
  const opened = openStore(path, { version: 'bench', nowMs: Date.now() });
  if (!opened.ok) throw new Error(opened.failure.detail);
  return opened.value;
}

function judge(isGood: boolean, text: string): void {
  isReached &&= isGood;
  console.log(isGood ? text : `${text}  MISSED`);
}

/** A start opens the database and prepares its statements, in turn with the full one and with an empty one. */
function measureStart(full: string): void {
  const empty = join(folder, 'empty.db');
  open(empty).close();
  const times = { full: [] as number[], empty: [] as number[] };
  for (let start = 0; start < STARTS; start++) {
    for (const [name, path] of Object.entries({ full, empty })) {
      const started = performance.now();
      const store = open(path);
      times[name as keyof typeof times].push(performance.now() - started);
      store.close();
    }
  }
  const [withAll, without] = [median(times.full), median(times.empty)];
  judge(
    withAll - without <= START_DIFFERENCE_MS,
    `start: ${withAll.toFixed(2)} ms full, ${without.toFixed(2)} ms empty, ratio ${(withAll / without).toFixed(2)} (to reach: at most ${START_DIFFERENCE_MS} ms more)`,
  );
}

function measure({ what, ask }: Question): void {
  const times = Array.from({ length: asks }, () => {
    const started = performance.now();
    ask();
    return performance.now() - started;
  }).sort((a, b) => a - b);
  const at = (part: number) => times[Math.ceil(part * times.length) - 1] ?? Number.NaN;
  const figures = [at(0.5), at(0.95), at(0.99)].map((ms) => ms.toFixed(2).padStart(8)).join('');
  judge(at(0.95) <= P95_MS, `${figures}  ${what}`);
}

function verify(store: Store): void {
  const started = performance.now();
  const { fault, verified } = store.events.verify();
  const seconds = (performance.now() - started) / 1000;
  judge(
    fault === null && verified === eventCount,
    `\nverified: ${verified} events in ${seconds.toFixed(1)} s${fault ? `: ${fault.detail}` : ''}`,
  );
}
