import { EXIT, type ExitCode } from '../../../shared/contract/exit-codes.ts';
import { type EventsQuery, eventsQuery } from '../../api/queries.ts';
import type { EventPageView, EventView } from '../../api/views.ts';
import type { Store } from '../../db/store.ts';
import { listEvents } from '../../events/list-events.ts';
import { formatTable, formatTime } from '../self-update/describe.ts';
import { withStore } from '../with-store.ts';
import { type FilterOptions, readOptions } from './read-filter.ts';

/** What `events list` is called with. */
export type ListOptions = FilterOptions & {
  readonly limit: string;
  readonly cursor?: string;
  readonly json?: boolean;
};

const HEAD = ['ID', 'TIME', 'METHOD', 'PATH', 'STATUS', 'ACTION', 'ACTOR', 'CODE', 'TASK'];

/** `events list`: looks on by itself until there are as many as were asked for, or nothing is left. */
export function showEvents(
  { json, ...options }: ListOptions,
  environment: NodeJS.ProcessEnv,
): Promise<ExitCode> {
  return withStore(environment, (store) => {
    const query = readOptions(eventsQuery, options);
    if (!query) return EXIT.usage;
    const page = findAll(store, query);
    process.stdout.write(json ? `${JSON.stringify(page)}\n` : describe(page));
    return EXIT.ok;
  });
}

function findAll(store: Store, query: EventsQuery): EventPageView {
  const events: EventView[] = [];
  for (let cursor = query.cursor; ; ) {
    const page = listEvents(store, { ...query, limit: query.limit - events.length, cursor });
    events.push(...page.events);
    if (page.next_cursor === null || events.length === query.limit) return { ...page, events };
    cursor = Number(page.next_cursor);
  }
}

function describe({ events, next_cursor: cursor }: EventPageView): string {
  if (events.length === 0) return 'No event is like that.\n';
  const table = formatTable([HEAD, ...events.map(toRow)]);
  return cursor === null ? `${table}\n` : `${table}\nMore: --cursor ${cursor}\n`;
}

function toRow({ id, ts, method, path, status, action, actor, code, task_id }: EventView) {
  return [
    String(id),
    formatTime(ts),
    method,
    path,
    String(status),
    action,
    actor ?? '',
    code ?? '',
    task_id ?? '',
  ];
}
