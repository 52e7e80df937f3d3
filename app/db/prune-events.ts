import type { EventRetention } from '../domain/event-retention.ts';
import type { Store } from './store.ts';

/** What became of it: how many events went, and whether there may be more to go. */
export type PrunedEvents = { readonly removed: number; readonly isDone: boolean };

/** In one transaction: some ten milliseconds in which nobody else can write. */
const BATCH = 2_000;

/**
 * Removes the events that are beyond what is kept, at most `limit`, in batches that others can write between. What is
 * left is still a chain: its anchor moves in the transaction that removes.
 */
export function pruneEvents(
  store: Pick<Store, 'events'>,
  retention: EventRetention,
  nowMs: number,
  limit: number,
): PrunedEvents {
  let removed = 0;
  while (removed < limit) {
    const wanted = Math.min(BATCH, limit - removed);
    const count = store.events.removeExpired(retention, nowMs, wanted);
    removed += count;
    if (count < wanted) return { removed, isDone: true };
  }
  return { removed, isDone: false };
}
