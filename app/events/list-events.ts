import type { EventFilterQuery, EventsQuery } from '../api/queries.ts';
import type { EventPageView, EventView } from '../api/views.ts';
import type { EventFilter } from '../db/event-pages.ts';
import type { EventRow } from '../db/event-row.ts';
import type { Store } from '../db/store.ts';

/** One page of events, newest first. */
export function listEvents(
  store: Pick<Store, 'events'>,
  { limit, cursor, ...filter }: EventsQuery,
): EventPageView {
  const query = { ...toFilter(filter), limit, before: cursor };
  const { rows, next, lookedBackTo } = store.events.list(query);
  return {
    events: rows.map(toView),
    next_cursor: next === null ? null : String(next),
    looked_back_to: lookedBackTo === null ? null : new Date(lookedBackTo).toISOString(),
  };
}

/** What a query asks for, as the table understands it. */
export function toFilter({
  status,
  request_id: requestId,
  task_id: taskId,
  from,
  to,
  ...rest
}: EventFilterQuery): EventFilter {
  const isClass = status?.endsWith('xx') ?? false;
  return {
    ...rest,
    requestId,
    taskId,
    status: status === undefined || isClass ? undefined : Number(status),
    statusClass: isClass ? Number(status?.[0]) : undefined,
    from: from === undefined ? undefined : Date.parse(from),
    to: to === undefined ? undefined : Date.parse(to),
  };
}

function toView({ ts, duration_us, meta, hash: _, ...row }: EventRow): EventView {
  return {
    ...row,
    ts: new Date(ts).toISOString(),
    duration_ms: duration_us / 1000,
    meta: meta === null ? null : JSON.parse(meta),
  };
}
