import type { Database } from './open-database.ts';

/** Pages that one step gives back: some ten milliseconds in which nobody else can write. */
const STEP_PAGES = 1_000;
/** Written anew in less than a second; others wait for five. */
const MAX_REWRITTEN_BYTES = 67_108_864;
/** `auto_vacuum`, https://sqlite.org/pragma.html#pragma_auto_vacuum */
const INCREMENTAL = 2;

/** Has SQLite keep a new database so that it can shrink; must come before the first table. */
export function prepareToShrink(database: Database): void {
  database.pragma('auto_vacuum = INCREMENTAL');
}

/**
 * Gives the pages that nothing stands in back to the file system, in steps that others can write between; how many bytes.
 * A database that was made before it could shrink is written anew for that, once: whoever writes waits meanwhile, so a
 * large one is left as it is.
 */
export function shrinkDatabase(database: Database): number {
  const ask = (name: string) => Number(database.pragma(name, { simple: true }));
  const sizeOf = () => ask('page_count') * ask('page_size');
  const before = sizeOf();
  if (ask('auto_vacuum') !== INCREMENTAL) {
    if (before > MAX_REWRITTEN_BYTES) return 0;
    prepareToShrink(database);
    database.exec('VACUUM');
  }
  for (let left = ask('freelist_count'); left > 0; ) {
    database.pragma(`incremental_vacuum(${STEP_PAGES})`);
    const now = ask('freelist_count');
    // Somebody else frees as fast: the next time will do.
    if (now >= left) break;
    left = now;
  }
  database.pragma('wal_checkpoint(TRUNCATE)');
  return Math.max(before - sizeOf(), 0);
}
