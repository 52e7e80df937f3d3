import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { releaseIdentity } from '../../shared/contract/release.ts';
import type { StatePaths } from '../../shared/contract/state-paths.ts';
import {
  NO_POLICY,
  parseQuarantine,
  parseUpdateHistory,
  parseUpdatePolicy,
  type UpdateHistoryEntry,
} from '../../shared/contract/update-history.ts';
import {
  backupShape,
  MAX_RECORD_BYTES,
  parseUpdateRecord,
  type RecordReading,
} from '../../shared/contract/update-record.ts';
import type { RetainedVersion, UpdateFacts } from '../domain/update-facts.ts';
import { readBounded } from './read-bounded.ts';

/** Some thousand updates. */
const MAX_HISTORY_BYTES = 4 * 1024 * 1024;
const MAX_SMALL_BYTES = 1024 * 1024;
/** Of so many updates the programs are looked for; the supervisor keeps far fewer. */
const MAX_RETAINED = 100;

/**
 * What the files of the state directory say of updates, for whoever has no live word of the supervisor. Every file is
 * replaced or appended to in one step, so each is read whole; the record is read before the history, so that an
 * update that ends meanwhile is seen in one of them.
 */
export async function readUpdateState(paths: StatePaths): Promise<UpdateFacts> {
  const unreadable: string[] = [];
  const record = await readRecord(paths.updateRecord);
  const history = await readHistory(paths.updateHistory, unreadable);
  const quarantine = await readParsed(paths.quarantine, parseQuarantine, unreadable);
  const policy = await readParsed(paths.updatePolicy, parseUpdatePolicy, unreadable);
  return {
    record,
    history,
    quarantine: quarantine?.entries ?? [],
    policy: policy ?? NO_POLICY,
    retained: await readKept(paths.backupsDir, unreadable),
    unreadable,
  };
}

/** The record of the open update. */
export async function readRecord(path: string): Promise<RecordReading> {
  const read = await readBounded(path, MAX_RECORD_BYTES);
  if (read.kind === 'missing') return { kind: 'none' };
  if (read.kind === 'fault') return { kind: 'broken', reason: `it cannot be read (${read.fault})` };
  return parseUpdateRecord(read.text, (content) =>
    createHash('sha256').update(content).digest('hex'),
  );
}

/** The updates that are over, oldest first. Where they cannot be read, why is added to `unreadable`. */
export async function readHistory(
  path: string,
  unreadable: string[] = [],
): Promise<readonly UpdateHistoryEntry[]> {
  const read = await readBounded(path, MAX_HISTORY_BYTES, 'end');
  if (read.kind === 'fault') unreadable.push(`${path}: ${read.fault}`);
  if (read.kind !== 'text') return [];
  // A line that was cut at either end is left out.
  return parseUpdateHistory(read.text);
}

async function readParsed<T>(
  path: string,
  parse: (content: string) => T | undefined,
  unreadable: string[],
): Promise<T | undefined> {
  const read = await readBounded(path, MAX_SMALL_BYTES);
  if (read.kind === 'missing') return undefined;
  const value = read.kind === 'text' ? parse(read.text) : undefined;
  if (value === undefined) {
    unreadable.push(
      `${path}: ${read.kind === 'fault' ? read.fault : 'it is not what it should be'}`,
    );
  }
  return value;
}

/** The kept programs, the newest first, for names of updates sort by time; one that is kept twice is there once. */
async function readKept(folder: string, unreadable: string[]): Promise<readonly RetainedVersion[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const newestFirst = names.sort().reverse().slice(0, MAX_RETAINED);
  const read = await Promise.all(
    newestFirst.map((txn) => readOneKept(`${folder}/${txn}`, txn, unreadable)),
  );
  const kept = read.filter((version) => version !== undefined);
  const digests = kept.map(({ release }) => release.digest);
  return kept.filter(({ release }, index) => digests.indexOf(release.digest) === index);
}

/** `program`, and in `program.json` what it is; a folder without both keeps no program, or none any more. */
async function readOneKept(
  folder: string,
  txn: string,
  unreadable: string[],
): Promise<RetainedVersion | undefined> {
  const file = `${folder}/program`;
  const program = await findFile(file);
  const described = await findFile(`${file}.json`);
  if (!program || !described) return undefined;
  const read = <T>(name: string, parse: (raw: unknown) => T | undefined) =>
    readParsed(`${folder}/${name}`, (content) => parse(parseJson(content)), unreadable);
  const release = await read('program.json', releaseIdentity);
  const backup = await read('backup.json', backupShape);
  if (!release) return undefined;
  return {
    release,
    file,
    txn,
    hasDatabase: backup !== undefined && backup.kind !== 'none',
    bytes: program.size,
    // The program itself is a second name of a file that may be much older.
    keptAt: Math.round(described.mtimeMs),
  };
}

async function findFile(path: string) {
  const facts = await stat(path).catch(() => undefined);
  return facts?.isFile() ? facts : undefined;
}
