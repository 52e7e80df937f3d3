import type { Store } from '../db/store.ts';
import { PRUNED, type PruneCounts, type Retention } from '../domain/retention.ts';

/** What became of it. */
export type Pruned = {
  readonly removed: PruneCounts;
  /** Given back to the file system. */
  readonly freedBytes: number;
  /** It was told to end before it had removed everything. */
  readonly isCut: boolean;
};

/** In one transaction: some ten milliseconds in which nobody else can write. A task takes its log with it. */
const BATCHES: Readonly<Partial<Record<keyof PruneCounts, number>>> = { tasks: 20 };
const BATCH = 1_000;
const MIN_PAUSE_MS = 20;

/** How many rows of each table are older than they are kept for. Nothing is touched. */
export function countPrunable(
  store: Pick<Store, 'pruning' | 'events'>,
  retention: Retention,
  nowMs: number,
): PruneCounts {
  const count = (table: (typeof PRUNED)[number]) =>
    table === 'events'
      ? store.events.countExpired(retention.events, nowMs)
      : store.pruning.count(table, retention, nowMs);
  return toCounts(PRUNED.map((table) => [table, count(table)]));
}

/**
 * Removes what is older than it is kept for, in batches that others can write between, and gives the room back to the
 * file system. After each batch `pause` is waited for, as long as the batch took and 20 ms at least, so that others have half
 * of the time; `signal` ends it there.
 */
export async function pruneState(
  store: Pick<Store, 'pruning' | 'events' | 'shrink'>,
  retention: Retention,
  nowMs: number,
  { pause, signal }: { pause(ms: number): Promise<void>; signal: AbortSignal },
): Promise<Pruned> {
  const removed: [keyof PruneCounts, number][] = [];
  for (const table of PRUNED) {
    const batch = BATCHES[table] ?? BATCH;
    let sum = 0;
    for (let count = batch; count === batch && !signal.aborted; ) {
      const from = performance.now();
      count =
        table === 'events'
          ? store.events.removeExpired(retention.events, nowMs, batch)
          : store.pruning.remove(table, retention, nowMs, batch);
      sum += count;
      if (count > 0) await pause(Math.max(performance.now() - from, MIN_PAUSE_MS));
    }
    removed.push([table, sum]);
  }
  const isCut = signal.aborted;
  return { removed: toCounts(removed), freedBytes: isCut ? 0 : store.shrink(), isCut };
}

function toCounts(entries: readonly (readonly [keyof PruneCounts, number])[]): PruneCounts {
  return Object.fromEntries(entries) as PruneCounts;
}
