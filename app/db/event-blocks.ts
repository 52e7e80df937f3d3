import type { Database } from './open-database.ts';

/** So many ids share the times of one block; the migration says the same number. */
const BLOCK_IDS = 4096;

/** Ids from `low` on, below `high`. */
export type IdRange = { readonly low: number; readonly high: number };

/**
 * The oldest and the newest time in each run of ids. Ids grow with time nearly but not exactly: a batch waits its turn,
 * several processes write, clocks are set. By this a span of time becomes a range of ids that misses no row.
 */
export type EventBlocks = {
  /** Takes new rows in, whose ids follow each other from `firstId` on; in the transaction that inserts them. */
  add(firstId: number, times: readonly number[]): void;
  /** Ids among which are all rows from `from` on, before `to`; undefined where there is none. */
  find(from: number, to: number): IdRange | undefined;
  /** Forgets what lies wholly below an id. */
  forgetBelow(id: number): void;
};

/** Prepares the statements of the table. */
export function openEventBlocks(database: Database): EventBlocks {
  const upsert = database.prepare(
    `INSERT INTO event_blocks VALUES (?, ?, ?) ON CONFLICT (block) DO UPDATE
     SET min_ts = min(min_ts, excluded.min_ts), max_ts = max(max_ts, excluded.max_ts)`,
  );
  const select = database.prepare<[number, number], { low: number | null; high: number | null }>(
    'SELECT min(block) AS low, max(block) AS high FROM event_blocks WHERE max_ts >= ? AND min_ts < ?',
  );
  const remove = database.prepare('DELETE FROM event_blocks WHERE block < ?');
  return {
    add(firstId, times) {
      for (let at = 0; at < times.length; ) {
        const block = Math.floor((firstId + at) / BLOCK_IDS);
        const part = times.slice(at, (block + 1) * BLOCK_IDS - firstId);
        upsert.run(block, Math.min(...part), Math.max(...part));
        at += part.length;
      }
    },
    find(from, to) {
      const found = select.get(from, to);
      if (!found || found.low === null || found.high === null) return undefined;
      return { low: found.low * BLOCK_IDS, high: (found.high + 1) * BLOCK_IDS };
    },
    forgetBelow: (id) => void remove.run(Math.floor(id / BLOCK_IDS)),
  };
}
