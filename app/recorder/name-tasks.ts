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
  const ids = [...new Set(events.flatMap(({ delivery_id: id }) => id ?? []))];
  if (ids.length === 0) return events;
  let tasks = store.deliveries.findTasks(ids);
  if (tasks.size < ids.length) {
    takeOver();
    tasks = store.deliveries.findTasks(ids);
  }
  return events.map((event) => {
    const { delivery_id: id } = event;
    return typeof id === 'string' ? { ...event, task_id: tasks.get(id) ?? null } : event;
  });
}
