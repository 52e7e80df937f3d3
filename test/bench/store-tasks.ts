/**
 * How long the questions of the task list take among many tasks, synchronous in SQLite.
 *   node test/bench/store-tasks.ts [COUNT]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '../../app/db/store.ts';
import type { TaskFilter } from '../../app/db/task-pages.ts';
import { formatIdentifier } from '../../app/domain/identifier.ts';
import type { FinalStatus } from '../../app/domain/task.ts';
import { countTasks, listTasks, parseTaskCursor } from '../../app/tasks/read-tasks.ts';
import { createRandom, pick, type Random } from '../chaos/random.ts';

/** A question, as often asked as one likes. */
export type Question = {
  readonly name: string;
  readonly ask: (store: Store, random: Random) => unknown;
};

const COUNT = 200_000;
const UNITS = 60;
const FIRST_AT = Date.UTC(2025, 0, 1);
const EVERY_MS = 150_000;
const CHUNK = 10_000;
const ROUNDS = 40;

const unitName = (index: number) => `app-${index}.service`;

function hex(random: Random, length: number): string {
  return Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
}

/** Of twenty tasks so many end so. */
const ENDS: readonly FinalStatus[] = [
  ...Array.from({ length: 12 }, () => 'succeeded' as const),
  ...Array.from({ length: 5 }, () => 'skipped' as const),
  ...(['failed', 'failed', 'cancelled'] as const),
];

/** Fills a store with tasks as they come to be: pushes, wishes, batches, retries; the last ones are still open. */
export function fillTasks(store: Store, count: number): void {
  const draw = createRandom(1);
  let last: string | null = null;
  for (let begin = 0; begin < count; begin += CHUNK) {
    store.transact(() => {
      for (let index = begin; index < Math.min(begin + CHUNK, count); index++) {
        last = addTask(store, draw, { index, isOpen: index >= count - 20, last });
      }
    });
  }
}

type Place = { readonly index: number; readonly isOpen: boolean; readonly last: string | null };

function addTask(store: Store, draw: Random, { index, isOpen, last }: Place): string {
  const at = FIRST_AT + index * EVERY_MS + Math.floor(draw() * 1000);
  const bytes = Uint8Array.from({ length: 10 }, () => Math.floor(draw() * 256));
  const id = formatIdentifier('tsk', at, bytes);
  const unit = unitName(Math.floor(draw() ** 2 * UNITS));
  const image = `ghcr.io/owner/${unit.replace('.service', '')}:stable`;
  const digest = `sha256:${hex(draw, 64)}`;
  const isManual = draw() < 0.1;
  store.tasks.insert({
    ...{ id, unit, image, created_at: at, kind: isManual ? 'manual' : 'github-webhook' },
    summary: `${unit} is to run the newest ${image}.`,
    trigger_source: isManual ? 'manual' : 'webhook',
    trigger_request_id: `req_${hex(draw, 19)}`,
    trigger_path: isManual ? '/api/tasks' : `/github-package-update/${unit}`,
    trigger_caller: isManual ? 'admin at 127.0.0.1' : `github:${hex(draw, 36)}`,
    trigger_reason: isManual && draw() < 0.5 ? `ticket ${Math.floor(draw() * 5000)}` : null,
    webhook_digest: isManual ? null : digest,
    batch_id: isManual ? `bat_${String(Math.floor(index / 100)).padStart(19, '0')}` : null,
    retry_of: isManual && draw() < 0.2 ? last : null,
  });
  if (isOpen && index % 2 === 0) return id;
  store.tasks.markDispatched(id, 'systemd-run', at + 100);
  const run = { id, attempts: 1 };
  store.tasks.claim(run, at + 300);
  if (isOpen) return id;
  const known = { registry_digest: digest, pulled_digest: digest, running_digest: digest };
  store.tasks.setEvidence(run, { ...known, running_image: image }, at + 9_000);
  const status = index % 500 === 0 ? 'unknown' : pick(draw, ENDS);
  const code = pick(draw, ['PULL_FAILED', 'GATE_UNHEALTHY', 'REGISTRY_TIMEOUT'] as const);
  store.tasks.finish(run, {
    ...{ status, at: at + 10_000 },
    ...(status === 'failed'
      ? { summary: `${unit} was put back to ${digest}: ${code}.`, errorCode: code, errorDetail: '' }
      : { summary: `${unit} runs ${image} (${digest}).` }),
  });
  return id;
}

const LIMITS = [20, 50, 500] as const;
const STATUSES: readonly NonNullable<TaskFilter['statuses']>[] = [
  ['failed'],
  ['pending', 'running'],
  ['anomaly'],
  ['succeeded', 'skipped'],
  ['failed', 'cancelled', 'unknown', 'anomaly'],
];
const KINDS: readonly NonNullable<TaskFilter['kinds']>[] = [
  ['manual'],
  ['github-webhook'],
  ['scheduler'],
  ['manual', 'scheduler', 'internal'],
];
/** Rare and frequent ones, short ones, and what is nowhere. */
const TEXTS = [
  'a',
  'z9',
  'app-1',
  'service',
  'pull_failed',
  'ticket 77',
  'github:ab',
  'nowhere',
  '%',
];

/** Each condition that a list may have, each as it is drawn. */
const CONDITIONS: Readonly<Record<string, (random: Random) => TaskFilter>> = {
  status: (random) => ({ statuses: pick(random, STATUSES) }),
  kind: (random) => ({ kinds: pick(random, KINDS) }),
  unit: (random) => ({ unit: pick(random, [unitName(0), unitName(59), 'no.service']) }),
  unit_query: (random) => ({ unitPart: pick(random, ['app', '-59', '.SERVICE', 'none']) }),
  q: (random) => ({ text: pick(random, TEXTS) }),
  time: (random) => drawTime(random),
};

function drawTime(random: Random): TaskFilter {
  const from = FIRST_AT + Math.floor(random() * COUNT * EVERY_MS);
  return random() < 0.5 ? { from } : { to: from };
}

/** Every combination of the conditions. */
function combine(names: readonly string[]): string[][] {
  const [first, ...others] = names;
  if (first === undefined) return [[]];
  return combine(others).flatMap((rest) => [rest, [first, ...rest]]);
}

function drawFilter(names: readonly string[], random: Random): TaskFilter {
  return Object.assign({}, ...names.map((name) => CONDITIONS[name]?.(random))) as TaskFilter;
}

/** One page, and where there are more one further down. */
function askPage(store: Store, random: Random, filter: TaskFilter): unknown {
  const limit = pick(random, LIMITS);
  const isFirst = random() < 0.5;
  const createdAt = FIRST_AT + Math.floor(random() * COUNT * EVERY_MS);
  const before = isFirst ? {} : { before: parseTaskCursor(`${createdAt}.tsk_`) };
  return listTasks(store, { ...filter, ...before, limit });
}

/** All questions of the task list: each page with each combination of filters, and the counts. */
export const TASK_QUESTIONS: readonly Question[] = [
  ...combine(Object.keys(CONDITIONS)).map((names) => ({
    name: `page by ${names.join('+') || 'nothing'}`,
    ask: (store: Store, random: Random) => askPage(store, random, drawFilter(names, random)),
  })),
  ...combine(['unit', 'unit_query', 'q', 'time']).map((names) => ({
    name: `counts by ${names.join('+') || 'nothing'}`,
    ask: (store: Store, random: Random) => countTasks(store, drawFilter(names, random)),
  })),
  {
    name: 'page of a batch',
    ask: (store, random) => {
      const batch = Math.floor((random() * COUNT) / 100);
      return listTasks(store, { limit: 500, batchId: `bat_${String(batch).padStart(19, '0')}` });
    },
  },
];

type Times = { readonly p50: number; readonly p95: number; readonly p99: number };

function measure(store: Store, { ask }: Question): Times {
  const random = createRandom(2);
  const times = Array.from({ length: ROUNDS }, () => {
    const begin = performance.now();
    ask(store, random);
    return performance.now() - begin;
  }).sort((a, b) => a - b);
  const at = (share: number) => times[Math.ceil(share * times.length) - 1] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function run(count: number): void {
  const folder = mkdtempSync(join(tmpdir(), 'podup-bench-'));
  try {
    const opened = openStore(join(folder, 'bench.db'), { version: 'bench', nowMs: Date.now() });
    if (!opened.ok) throw new Error(opened.failure.detail);
    const begin = performance.now();
    fillTasks(opened.value, count);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    console.log(`${count} tasks, made in ${seconds} s; milliseconds, ${ROUNDS} times each\n`);
    console.log(`${'question'.padEnd(44)}   p50    p95    p99`);
    for (const question of TASK_QUESTIONS) {
      const { p50, p95, p99 } = measure(opened.value, question);
      const cells = [p50, p95, p99].map((ms) => ms.toFixed(1).padStart(6)).join(' ');
      console.log(`${question.name.padEnd(44)} ${cells}`);
    }
    opened.value.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) run(Number(process.argv[2] ?? COUNT));
