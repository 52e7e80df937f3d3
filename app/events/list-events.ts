import type { EventView, Page } from '../api/views.ts';
import type { EventFilter, EventRow } from '../db/events.ts';
import type { Store } from '../db/store.ts';

/** One page of events, newest first. */
export function listEvents(store: Store, filter: EventFilter): Page<'events', EventView> {
  const rows = store.events.list({ ...filter, limit: filter.limit + 1 });
  const page = rows.slice(0, filter.limit);
  const last = page.at(-1);
  return {
    events: page.map(toView),
    next_cursor: rows.length > page.length && last ? String(last.id) : null,
  };
}

function toView({ ts, duration_us, meta, ...row }: EventRow): EventView {
  return {
    ...row,
    ts: new Date(ts).toISOString(),
    duration_ms: duration_us / 1000,
    meta: meta === null ? null : JSON.parse(meta),
  };
}
