import type { NewEvent } from '../db/event-row.ts';
import type { Store } from '../db/store.ts';
import type { PendingEvent } from '../events/event-writer.ts';

/**
 * Names the task in each event that was about a delivery. The delivery was durable before its event came into being, so
 * where it is not in the database yet `takeOver` brings it there; where even that fails the event names no task.
 */
export function nameTasks(
  store: Pick<Store, 'deliveries'>,
  events: readonly PendingEvent[],
  takeOver: () => void,
): readonly NewEvent[] {
  const named = events.filter(({ delivery_id: id }) => typeof id === 'string');
  if (named.length === 0) return events;
  const find = (event: PendingEvent) => store.deliveries.findTask(event.delivery_id ?? '');
  if (named.some((event) => find(event) === undefined)) takeOver();
  return events.map((event) =>
    typeof event.delivery_id === 'string' ? { ...event, task_id: find(event) ?? null } : event,
  );
}
