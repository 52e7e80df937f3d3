import { countExpired, type EventRetention } from '../domain/event-retention.ts';
import type { EventBlocks } from './event-blocks.ts';
import type { EventChainRecord } from './event-chain.ts';
import type { Database } from './open-database.ts';

/** Taking the oldest events away, by which the chain begins later. */
export type EventRemoval = {
  /** Removes at most `limit` of the events that are to go, in one transaction; how many it removed. */
  removeExpired(retention: EventRetention, nowMs: number, limit: number): number;
  /** How many would go, without removing any; takes as long as there are many. */
  countExpired(retention: EventRetention, nowMs: number): number;
};

type Oldest = { readonly id: number; readonly ts: number; readonly hash: Buffer | null };

/** Prepares the statements. */
export function createEventRemoval(
  database: Database,
  record: EventChainRecord,
  blocks: EventBlocks,
): EventRemoval {
  const selectOldest = database.prepare<[number, number], Oldest>(
    'SELECT id, ts, hash FROM events WHERE id > ? ORDER BY id LIMIT ?',
  );
  const readKept = database
    .prepare<[], number | null>('SELECT max(id) - min(id) + 1 FROM events')
    .pluck();
  const remove = database.prepare('DELETE FROM events WHERE id <= ?');
  const find = (retention: EventRetention, nowMs: number, after: number, limit: number) => {
    const oldest = selectOldest.all(after, limit);
    const times = oldest.map(({ ts }) => ts);
    return oldest.slice(0, countExpired(times, readKept.get() ?? 0, retention, nowMs));
  };
  const removeExpired = (retention: EventRetention, nowMs: number, limit: number) => {
    const expired = find(retention, nowMs, 0, limit);
    const last = expired.at(-1);
    const chain = record.read()?.chain;
    if (!last || !chain) return 0;
    remove.run(last.id);
    blocks.forgetBelow(last.id + 1);
    const chained = expired.filter(({ id }) => id > chain.unchainedId);
    const anchor = chained.findLast(({ hash }) => hash !== null)?.hash;
    record.write({
      ...chain,
      ...(anchor && { anchorId: last.id, anchorHash: anchor.toString('hex') }),
      keptRows: chain.keptRows - chained.length,
      removedRows: chain.removedRows + expired.length,
      removedAt: nowMs,
    });
    return expired.length;
  };
  return {
    removeExpired: (...of) => database.transaction(removeExpired).immediate(...of),
    countExpired(retention, nowMs) {
      let count = 0;
      for (let after = 0; ; ) {
        // What would be gone by then no longer counts among those that are too many.
        const maxRows = retention.maxRows + count;
        const expired = find({ ...retention, maxRows }, nowMs, after, 10_000);
        count += expired.length;
        const last = expired.at(-1);
        if (!last || expired.length < 10_000) return count;
        after = last.id;
      }
    },
  };
}
