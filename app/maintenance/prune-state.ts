import type { Store } from '../db/store.ts';
import { cutoffsOf, PRUNED_TABLES, type PruneCounts, type Retention } from '../domain/retention.ts';
import { countFiles, type PrunedPaths, removeFiles } from './prune-files.ts';

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

/** What is pruned: the database, and files in the state directory. */
export type PrunedState = {
  readonly store: Pick<Store, 'pruning' | 'events' | 'segments' | 'revocations' | 'shrink'>;
  readonly paths: PrunedPaths;
};

/** How many of each are older than they are kept for. Nothing is touched. */
export function countPrunable(
  { store, paths }: PrunedState,
  retention: Retention,
  nowMs: number,
): PruneCounts {
  const count = (table: (typeof PRUNED_TABLES)[number]) =>
    table === 'events'
      ? store.events.countExpired(retention.events, nowMs)
      : store.pruning.count(table, retention, nowMs);
  const tables = PRUNED_TABLES.map((table) => [table, count(table)] as const);
  const files = countFiles(paths, store.segments, cutoffsOf(retention, nowMs));
  return toCounts([...tables, ...files]);
}

/**
 * Removes what is older than it is kept for, rows in batches that others can write between, and gives the room back to the
 * file system. After each batch `pause` is waited for, as long as the batch took and 20 ms at least, so that others have half
 * of the time; `signal` ends it there.
 */
export async function pruneState(
  { store, paths }: PrunedState,
  retention: Retention,
  nowMs: number,
  { pause, signal }: { pause(ms: number): Promise<void>; signal: AbortSignal },
): Promise<Pruned> {
  const removed: [keyof PruneCounts, number][] = [];
  for (const table of PRUNED_TABLES) {
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
  // What is in the file alone comes back into the table.
  store.revocations.compact();
  const isCut = signal.aborted;
  const cutoffs = cutoffsOf(retention, nowMs);
  const files = removeFiles(paths, store.segments, isCut ? undefined : cutoffs);
  return {
    removed: toCounts([...removed, ...files]),
    freedBytes: isCut ? 0 : store.shrink(),
    isCut,
  };
}

function toCounts(entries: readonly (readonly [keyof PruneCounts, number])[]): PruneCounts {
  return Object.fromEntries(entries) as PruneCounts;
}
