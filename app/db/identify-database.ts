import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Failure, fail } from '../../shared/contract/outcome.ts';

/** Which files a database and the log beside it are, and on which device; null where there is none. */
export type DatabaseFiles = {
  readonly database: string | null;
  readonly log: string | null;
  readonly device: number | null;
};

/** Looks at names only: whoever closes a descriptor of a database takes from SQLite its locks (https://sqlite.org/howtocorrupt.html). */
export function identifyDatabase(path: string): DatabaseFiles {
  const device = statSync(path, { throwIfNoEntry: false })?.dev ?? null;
  return { database: identify(path), log: identify(`${path}-wal`), device };
}

/** What a damaged file is known by: another size or time means that somebody has put another content there. */
export function describeContent(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats ? [stats.dev, stats.ino, stats.size, stats.mtimeNs].join(' ') : null;
}

/** Why the files could not be written by a process that begins now; undefined where they could. */
export function findWriteProtection(path: string): Failure | undefined {
  for (const place of [path, dirname(path)]) {
    try {
      accessSync(place, constants.R_OK | constants.W_OK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return fail('DATABASE_READ_ONLY', `${place}: ${code}.`).failure;
    }
  }
  return undefined;
}

function identify(path: string): string | null {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats ? `${stats.dev} ${stats.ino}` : null;
}
