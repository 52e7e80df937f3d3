import { asObject, parseJson } from '../../shared/contract/read-shape.ts';
import type { ReleaseIdentity } from '../../shared/contract/release.ts';
import type { SimFs } from './sim-fs.ts';
import { digestOf, remembering } from './sim-remember.ts';

/** What is wrong with a program. */
export type Trouble =
  | 'none'
  | 'dies-at-start'
  | 'dies-after-migration'
  | 'dies-later'
  | 'hangs'
  | 'stranger'
  | 'refuses-configuration'
  | 'fails-probes'
  | 'fails-check'
  /** Its supervisor does not come up. */
  | 'supervisor-dies'
  /** Its worker lives under an old supervisor only. */
  | 'dies-under-itself'
  /** Its helpers cannot be used. */
  | 'no-helpers'
  /** It cannot copy a database, and its worker does not close one. */
  | 'cannot-back-up';

/** A program file: a small text that says how it behaves. */
export type Program = {
  readonly version: string;
  /** The newest migration that it knows. */
  readonly schema: number;
  /** What its newest migration says of older programs. */
  readonly migration: 'may-run' | 'must-not-run';
  readonly trouble: Trouble;
};

/** What a database holds. */
export type Database = {
  readonly schema: number;
  /** The oldest program, by the newest migration that it knows, that may run on it. */
  readonly oldest: number;
  readonly rows: readonly string[];
  /** How many deliveries were taken over from the spool. */
  readonly taken: number;
};

/** A program of which nothing is special. */
export function program(version: string, changes: Partial<Program> = {}): Program {
  return { version, schema: 1, migration: 'may-run', trouble: 'none', ...changes };
}

/** Its file. */
export function programText(of: Program): string {
  return `#!simulated ${JSON.stringify(of)}\n`;
}

/** What a file is; undefined where it is no whole program. */
export const parseProgram = remembering((text): Program | undefined => {
  if (!text.startsWith('#!simulated ') || !text.endsWith('}\n')) return undefined;
  return parseJson(text.slice('#!simulated '.length)) as Program | undefined;
});

/** What a program is known by. */
export function identityOf(of: Program): ReleaseIdentity {
  const digest = digestOf(programText(of));
  return { version: of.version, digest, generation: null, tag: null, commit: null };
}

/** The database with its log, as SQLite would open it; undefined where there is none, null where it is broken. */
export function readDatabase(fs: SimFs, path: string): Database | null | undefined {
  const text = fs.text(path);
  if (text === undefined) return undefined;
  // Pages of a log are taken for newer than those of the database, whatever database that is.
  return parseDatabase(fs.text(`${path}-wal`) || text);
}

/** Changes the database: a transaction that is synced, in the log. */
export function writeDatabase(fs: SimFs, path: string, content: Database): void {
  fs.put(`${path}-wal`, databaseText(content));
}

/** What the last one who closes it does: the log goes into the database and is empty then. */
export function closeDatabase(fs: SimFs, path: string): void {
  const content = readDatabase(fs, path);
  if (!content || !fs.text(`${path}-wal`)) return;
  fs.put(path, databaseText(content));
  fs.put(`${path}-wal`, '');
}

/** One file that holds all of it. */
export function databaseText(content: Database): string {
  return JSON.stringify(content);
}

/** Whether a program may run on it; one that is newer than all that it knows is migrated. */
export function mayRunOn({ schema }: Program, database: Database): boolean {
  return schema >= database.oldest;
}

/** The database once the program has migrated it. */
export function migrate(of: Program, database: Database): Database {
  if (of.schema <= database.schema) return database;
  const oldest = of.migration === 'must-not-run' ? of.schema : database.oldest;
  return { ...database, schema: of.schema, oldest };
}

const parseDatabase = remembering((text): Database | null => {
  const content = asObject(parseJson(text));
  return content ? (content as Database) : null;
});
