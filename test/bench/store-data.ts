import type { NewEvent } from '../../app/db/event-row.ts';
import type { Store } from '../../app/db/store.ts';
import { newIdentifier } from '../../app/intake/new-identifier.ts';
import { createRandom } from '../chaos/random.ts';

/** So many events are one transaction, as under load. */
const EVENTS_PER_BATCH = 2_000;
const UNITS = Array.from({ length: 300 }, (_, index) => `unit-${index}`);
/** The events are spread over this time. */
export const SPAN_MS = 400 * 86_400_000;

/** What the questions ask for again. */
export type MadeEvents = {
  readonly tasks: readonly string[];
  /** Request ids from all over the log. */
  readonly requests: readonly string[];
  readonly startMs: number;
  /** How long the insertion took. */
  readonly tookMs: number;
};

/** Fills the log through the path by which the recorder writes. */
export function insertEvents(
  store: Store,
  count: number,
  tasks: readonly string[],
  startMs: number,
): MadeEvents {
  const random = createRandom(1);
  const requests: string[] = [];
  const started = performance.now();
  for (let first = 0; first < count; first += EVENTS_PER_BATCH) {
    const batch = Array.from({ length: Math.min(EVENTS_PER_BATCH, count - first) }, (_, index) => {
      const place = (first + index) / count;
      // A batch waits its turn: times come a little out of order.
      const ts = Math.floor(startMs + SPAN_MS * place - random() * 500);
      const task = tasks[Math.floor(place * tasks.length)] ?? null;
      return makeEvent(random, ts, task);
    });
    requests.push(batch[0]?.request_id ?? '');
    store.events.insertAll(batch);
  }
  return { tasks, requests, startMs, tookMs: performance.now() - started };
}

/** Nine in ten are webhooks, calls of the API and checks of the health; the rest is rare, and some of it very. */
function makeEvent(random: () => number, ts: number, task: string | null): NewEvent {
  const event = {
    request_id: newIdentifier('req'),
    ts,
    code: null,
    actor: null,
    remote_address: '127.0.0.1',
    duration_us: Math.floor(random() * 20_000),
    task_id: null,
    meta: null,
  };
  const unit = UNITS[Math.floor(random() ** 2 * UNITS.length)] ?? '';
  const webhook = {
    ...event,
    method: 'POST',
    path: `/github-package-update/${unit}`,
    action: 'github-webhook',
  };
  const kind = random();
  if (kind < 0.4) {
    const meta = `{"delivery":"${newIdentifier('dlv')}","unit":"${unit}.service","verdict":"ignored","reason":"untagged-child"}`;
    return { ...webhook, status: 202, actor: 'github', meta };
  }
  if (kind < 0.45) return { ...webhook, status: 202, actor: 'github', task_id: task };
  if (kind < 0.7) {
    const read = { ...event, method: 'GET', path: `/api/tasks/${task}`, action: 'tasks-api' };
    return { ...read, status: 200, actor: 'admin', task_id: task };
  }
  if (kind < 0.9) {
    return { ...event, method: 'GET', path: '/health', status: 200, action: 'health' };
  }
  if (kind < 0.94) return { ...webhook, status: 401, code: 'SIGNATURE_INVALID' };
  return makeRareEvent(random, { ...event, task_id: null }, task);
}

type Start = Omit<NewEvent, 'method' | 'path' | 'status' | 'action'>;

function makeRareEvent(random: () => number, event: Start, task: string | null): NewEvent {
  const kind = random();
  const path = `/.well-known/${Math.floor(random() * 100_000)}`;
  if (kind < 0.6) {
    const missing = { method: 'GET', path, status: 404, action: 'not-found', code: 'NOT_FOUND' };
    return { ...event, ...missing, remote_address: `198.51.100.${Math.floor(random() * 250)}` };
  }
  if (kind < 0.8) {
    const health = { method: 'GET', path: '/health', status: 503, action: 'health' };
    return { ...event, ...health, code: 'PODMAN_UNAVAILABLE' };
  }
  if (kind < 0.9) {
    const tick = { method: 'SYSTEM', path: 'self-update', status: 202, action: 'scheduler' };
    return { ...event, ...tick, remote_address: null };
  }
  if (kind < 0.98) {
    const call = { method: 'CLI', path: 'self-update status', status: 200 };
    return { ...event, ...call, action: 'cli-self-update-status', actor: 'uid 1000' };
  }
  if (kind < 0.999) {
    const lost = { method: 'SYSTEM', path: 'tasks', status: 500, action: 'task-lost' };
    return { ...event, ...lost, code: 'TASK_LOST', task_id: task };
  }
  const release = { method: 'CLI', path: 'quarantine release', status: 200 };
  return { ...event, ...release, action: 'cli-quarantine-release', actor: 'uid 0' };
}
