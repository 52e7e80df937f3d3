import type { EventFilter } from '../../app/db/event-pages.ts';
import type { Store } from '../../app/db/store.ts';
import { createRandom } from '../chaos/random.ts';
import { type MadeEvents, SPAN_MS } from './store-data.ts';

/** Something that the store is asked again and again, each time a little differently. */
export type Question = {
  readonly what: string;
  /** Asks once, as a request would. */
  readonly ask: () => unknown;
};

const LIMITS = [20, 50, 500] as const;

/** Pages of the event log by each filter and by combinations, from everywhere in it. */
export function makeEventQuestions(store: Store, made: MadeEvents, count: number): Question[] {
  const random = createRandom(2);
  const pick = <T>(values: readonly T[]): T | undefined =>
    values[Math.floor(random() * values.length)];
  const before = () => 1 + Math.floor(random() * (count + 1));
  const span = () => {
    const from = made.startMs + Math.floor(random() * SPAN_MS);
    return { from, to: from + Math.floor(random() ** 4 * SPAN_MS) };
  };
  const filters: Readonly<Record<string, () => EventFilter>> = {
    action: () => ({ action: pick(ACTIONS) }),
    status: () => ({ status: pick([200, 202, 401, 404, 409, 500, 503]) }),
    'status class': () => ({ statusClass: pick([2, 3, 4, 5]) }),
    method: () => ({ method: pick(['GET', 'POST', 'CLI', 'SYSTEM', 'DELETE']) }),
    request: () => ({ requestId: pick(made.requests) }),
    task: () => ({ taskId: pick(made.tasks) }),
    actor: () => ({ actor: pick(['github', 'admin', 'uid 0', 'uid 1000', 'nobody']) }),
    path: () => ({
      path: pick([
        ...['/api', '/health', `/api/tasks/${pick(made.tasks)}`, '/.well-known/7', '/nowhere'],
        ...['/github-package-update/unit-1', '/github-package-update/unit-299', 'quarantine'],
      ]),
    }),
    time: span,
  };
  const names = Object.keys(filters);
  const combine = () =>
    Object.assign({}, ...names.map((name) => (random() < 0.35 ? filters[name]?.() : {})));
  const list = (what: string, filter: () => EventFilter): Question => ({
    what,
    ask: () => store.events.list({ ...filter(), before: before(), limit: pick(LIMITS) ?? 50 }),
  });
  return [
    { what: 'newest page', ask: () => store.events.list({ limit: 50 }) },
    list('any page', () => ({})),
    ...names.map((name) => list(`by ${name}`, filters[name] ?? (() => ({})))),
    list('rare action, common status', () => ({
      action: 'cli-quarantine-release',
      status: pick([200, 500]),
    })),
    list('two common ones that never meet', () => ({ action: 'github-webhook', method: 'GET' })),
    list('failures of a unit', () => ({
      statusClass: 4,
      path: `/github-package-update/unit-${Math.floor(random() * 300)}`,
    })),
    list('by combinations at random', combine),
  ];
}

const ACTIONS = [
  ...['github-webhook', 'tasks-api', 'health', 'not-found', 'scheduler', 'task-lost'],
  ...['cli-self-update-status', 'cli-quarantine-release', 'never-seen'],
];
