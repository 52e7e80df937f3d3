import type { Store } from '../../app/db/store.ts';
import type { TaskFilter } from '../../app/db/task-pages.ts';
import { formatIdentifier } from '../../app/domain/identifier.ts';
import type { FinalStatus } from '../../app/domain/task.ts';
import { countTasks, listTasks, parseTaskCursor } from '../../app/tasks/read-tasks.ts';
import { createRandom, pick, type Random } from '../chaos/random.ts';
import type { Question } from './store-questions.ts';

const UNITS = 60;
const FIRST_AT = Date.UTC(2025, 0, 1);
const EVERY_MS = 150_000;
const CHUNK = 10_000;
/** Times and batches are drawn as if there were so many tasks. */
const DRAWN_FROM = 200_000;

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

/** Fills a store with tasks as they come to be: pushes, wishes, batches, retries; the last ones are still open. Their ids. */
export function insertTasks(store: Store, count: number): string[] {
  const draw = createRandom(1);
  const ids: string[] = [];
  let last: string | null = null;
  for (let begin = 0; begin < count; begin += CHUNK) {
    store.transact(() => {
      for (let index = begin; index < Math.min(begin + CHUNK, count); index++) {
        last = addTask(store, draw, { index, isOpen: index >= count - 20, last });
        ids.push(last);
      }
    });
  }
  return ids;
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
    trigger_caller: isManual ? 'token:PODUP_TOKEN at 127.0.0.1' : `github:${hex(draw, 36)}`,
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
  const from = FIRST_AT + Math.floor(random() * DRAWN_FROM * EVERY_MS);
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
  const createdAt = FIRST_AT + Math.floor(random() * DRAWN_FROM * EVERY_MS);
  const before = isFirst ? {} : { before: parseTaskCursor(`${createdAt}.tsk_`) };
  return listTasks(store, { ...filter, ...before, limit });
}

/** All questions of the task list: each page with each combination of filters, and the counts. */
export function makeTaskQuestions(store: Store): Question[] {
  const random = createRandom(2);
  return [
    ...combine(Object.keys(CONDITIONS)).map((names) => ({
      what: `tasks, page by ${names.join(', ') || 'nothing'}`,
      ask: () => askPage(store, random, drawFilter(names, random)),
    })),
    ...combine(['unit', 'unit_query', 'q', 'time']).map((names) => ({
      what: `tasks, counts by ${names.join(', ') || 'nothing'}`,
      ask: () => countTasks(store, drawFilter(names, random)),
    })),
    {
      what: 'tasks, page of a batch',
      ask: () => {
        const batch = Math.floor((random() * DRAWN_FROM) / 100);
        return listTasks(store, { limit: 500, batchId: `bat_${String(batch).padStart(19, '0')}` });
      },
    },
  ];
}
