import type { EventWriter, PendingEvent } from '../events/event-writer.ts';

/** Requests that were answered since the process began. */
export type RequestCount = {
  /** One of a closed set. */
  readonly action: string;
  /** The first digit of the status. */
  readonly class: string;
  readonly count: number;
};

/** Counts the requests on their way to the events. */
export type RequestCounter = Pick<EventWriter, 'record'> & {
  list(): readonly RequestCount[];
};

/** There are some forty actions, of which each can be answered in five ways. */
const MAX_KINDS = 500;

/** Stands before `events`. */
export function countRequests(events: Pick<EventWriter, 'record'>): RequestCounter {
  const counts = new Map<string, number>();
  return {
    record(event: PendingEvent) {
      const key = `${Math.floor(event.status / 100)} ${event.action}`;
      const count = counts.get(key);
      if (count !== undefined || counts.size < MAX_KINDS) counts.set(key, (count ?? 0) + 1);
      events.record(event);
    },
    list: () =>
      [...counts].map(([key, count]) => ({ class: `${key[0]}xx`, action: key.slice(2), count })),
  };
}
