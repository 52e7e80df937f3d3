import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { releaseIdentity } from '../../shared/contract/release.ts';
import { programPaths, type StatePaths } from '../../shared/contract/state-paths.ts';
import {
  NO_POLICY,
  parseQuarantine,
  parseUpdateHistory,
  parseUpdatePolicy,
  type UpdateHistoryEntry,
} from '../../shared/contract/update-history.ts';
import {
  MAX_RECORD_BYTES,
  parseUpdateRecord,
  type RecordReading,
} from '../../shared/contract/update-record.ts';
import { identifyOld, type RetainedVersion, type UpdateFacts } from '../domain/update-facts.ts';
import { readBounded } from './read-bounded.ts';

/** Some thousand updates. */
const MAX_HISTORY_BYTES = 4 * 1024 * 1024;
const MAX_SMALL_BYTES = 1024 * 1024;
/** Of so many updates the programs are looked for; the supervisor keeps far fewer. */
const MAX_RETAINED = 100;

/**
 * What the files of the state directory say of updates, for whoever has no live word of the supervisor. `target` is
 * the program file. Every file is replaced or appended to in one step, so each is read whole; the record is read
 * before the history, so that an update that ends meanwhile is seen in one of them.
 */
export async function readUpdateState(paths: StatePaths, target: string): Promise<UpdateFacts> {
  const unreadable: string[] = [];
  const record = await readRecord(paths.updateRecord);
  const history = await readHistory(paths.updateHistory, unreadable);
  const quarantine = await readParsed(paths.quarantine, parseQuarantine, unreadable);
  const policy = await readParsed(paths.updatePolicy, parseUpdatePolicy, unreadable);
  const kept = await readKept(paths.backupsDir, unreadable);
  const beside = await readBeside(target, identifyOld({ record, history }));
  return {
    record,
    history,
    quarantine: quarantine?.entries ?? [],
    policy: policy ?? NO_POLICY,
    retained: onceEach([...kept, ...beside]),
    unreadable,
  };
}

async function readRecord(path: string): Promise<RecordReading> {
  const read = await readBounded(path, MAX_RECORD_BYTES);
  if (read.kind === 'missing') return { kind: 'none' };
  if (read.kind === 'fault') return { kind: 'broken', reason: `it cannot be read (${read.fault})` };
  return parseUpdateRecord(read.text, (content) =>
    createHash('sha256').update(content).digest('hex'),
  );
}

async function readHistory(
  path: string,
  unreadable: string[],
): Promise<readonly UpdateHistoryEntry[]> {
  const read = await readBounded(path, MAX_HISTORY_BYTES, 'end');
  if (read.kind === 'fault') unreadable.push(`${path}: ${read.fault}`);
  if (read.kind !== 'text') return [];
  // Cut off somewhere in a line, which is left out, as is a last one that is not whole yet.
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

async function readKept(folder: string, unreadable: string[]): Promise<RetainedVersion[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const newestFirst = names.sort().reverse().slice(0, MAX_RETAINED);
  const kept = newestFirst.map((txn) => readOneKept(`${folder}/${txn}`, txn, unreadable));
  return (await Promise.all(kept)).filter((version) => version !== undefined);
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
  const identify = (content: string) => releaseIdentity(parseJson(content));
  const release = await readParsed(`${file}.json`, identify, unreadable);
  return (
    release && {
      release,
      file,
      txn,
      hasDatabase: (await findFile(`${folder}/database.db`)) !== undefined,
      bytes: program.size,
      // The program itself is a second name of a file that may be much older.
      keptAt: Math.round(described.mtimeMs),
    }
  );
}

async function readBeside(
  target: string,
  last: UpdateHistoryEntry | undefined,
): Promise<RetainedVersion[]> {
  const { old } = programPaths(target);
  const program = await findFile(old);
  if (!last || !program) return [];
  const { from: release, finishedAt: keptAt } = last;
  return [{ release, file: old, txn: null, hasDatabase: false, bytes: program.size, keptAt }];
}

async function findFile(path: string) {
  const facts = await stat(path).catch(() => undefined);
  return facts?.isFile() ? facts : undefined;
}

/** A program that was in place several times is kept several times: with a database it is worth more, then newer. */
function onceEach(versions: readonly RetainedVersion[]): readonly RetainedVersion[] {
  const best = new Map<string, RetainedVersion>();
  for (const version of versions) {
    const other = best.get(version.release.digest);
    if (!other || isBetter(version, other)) best.set(version.release.digest, version);
  }
  return [...best.values()].sort((a, b) => b.keptAt - a.keptAt);
}

function isBetter(one: RetainedVersion, other: RetainedVersion): boolean {
  if (one.hasDatabase !== other.hasDatabase) return one.hasDatabase;
  return one.keptAt > other.keptAt;
}
