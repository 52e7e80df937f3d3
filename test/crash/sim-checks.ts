import { asObject, parseJson } from '../../shared/contract/read-shape.ts';
import {
  parseQuarantine,
  parseUpdateHistory,
  parseUpdatePolicy,
  type UpdateHistoryEntry,
  type UpdateOutcome,
  type UpdatePolicy,
} from '../../shared/contract/update-history.ts';
import { parseUpdateRecord, type UpdateRecord } from '../../shared/contract/update-record.ts';
import { isBlamed } from '../../supervisor/core/update/outcome.ts';
import type { Facts } from './sim-facts.ts';
import type { SimFs } from './sim-fs.ts';
import type { SimHost } from './sim-host.ts';
import { PATHS, PROGRAM } from './sim-paths.ts';
import { parseProgram, readDatabase } from './sim-programs.ts';
import { digestOf, remembering } from './sim-remember.ts';
import { GONE } from './sim-worker.ts';

/** Ends of updates that say something about a program. */
const LESSONS: readonly UpdateOutcome[] = ['committed', 'rolled-back', 'superseded'];

/** What a story allows. */
export type Allowance = {
  /** The version that runs before the story. */
  readonly first: string;
  /** Both versions may be bad. */
  readonly mayHold: boolean;
  /** Somebody goes back to an older database on purpose. */
  readonly givesUpRows: boolean;
};

/** What must be true of the disk at every moment, whatever the power did. The rules that are broken. */
export function checkDisk(fs: SimFs, { answered }: Facts): readonly string[] {
  const paths = [
    ...[PATHS.updateRecord, PATHS.updateHistory, PATHS.quarantine, PATHS.updatePolicy],
  ];
  const state = [answered, isWhole(fs, PROGRAM.target), ...paths.map((path) => fs.text(path))];
  return checkState(JSON.stringify(state));
}

/** The same by what it depends upon: most disks differ in other things. */
const checkState = remembering((state) => {
  const [answered, isTargetWhole, record, history, quarantine, policy] = JSON.parse(state) as [
    readonly string[],
    boolean,
    ...(string | null)[],
  ];
  const broken: string[] = [];
  if (!isTargetWhole) broken.push('the program at the target is not whole');
  const reading = record === null ? undefined : parseUpdateRecord(record ?? '', digestOf);
  if (reading?.kind === 'broken') broken.push('the record is broken');
  const open = reading?.kind === 'record' ? reading.record : null;
  const entries = parseUpdateHistory(history ?? '');
  const ended = entries.map(({ txn }) => txn);
  if (new Set(ended).size < ended.length) broken.push('an update ended twice');
  const isKnown = (txn: string) => [open?.txn, open?.over?.txn, ...ended].includes(txn);
  if (!answered.every(isKnown)) broken.push('an update that was acknowledged is forgotten');
  const quarantined = parseQuarantine(quarantine ?? '')?.entries.map(({ digest }) => digest) ?? [];
  const isForgotten = findBad(entries, open).some((digest) => !quarantined.includes(digest));
  if (isForgotten) broken.push('a bad program is forgotten');
  if (!open && !isLearnt(entries, parseUpdatePolicy(policy ?? ''))) {
    broken.push('what the last update taught is forgotten');
  }
  return broken;
});

/** The programs that failed through their own fault, in updates that are over. */
function findBad(
  entries: readonly UpdateHistoryEntry[],
  open: UpdateRecord | null,
): readonly string[] {
  return entries.flatMap(({ txn, outcome, failure, to }) => {
    const isBad = outcome === 'rolled-back' || outcome === 'superseded';
    return isBad && to && txn !== open?.txn && isBlamed({ failure }) ? [to.digest] : [];
  });
}

/** Whether the policy knows how the last update ended that exchanged the program. */
function isLearnt(
  entries: readonly UpdateHistoryEntry[],
  policy: UpdatePolicy | undefined,
): boolean {
  const last = entries.findLast(({ outcome }) => LESSONS.includes(outcome));
  if (!last?.to || (last.outcome !== 'committed' && !isBlamed(last))) return true;
  return last.outcome === 'committed'
    ? policy?.lastGood?.digest === last.to.digest
    : policy?.badInARow.includes(last.to.digest) === true;
}

/** What must be true once nothing is under way any more. The rules that are broken. */
export function checkEnd(host: SimHost, allowed: Allowance): readonly string[] {
  const { fs, facts, supervisor } = host;
  // Going back on purpose gives them up.
  const seen = host.violations.filter((rule) => rule !== GONE || !allowed.givesUpRows);
  const broken = [...seen, ...checkDisk(fs, facts)];
  if (!supervisor?.isAtRest) return [...broken, 'it does not come to rest'];
  if (supervisor.isHeld) return allowed.mayHold ? broken : [...broken, 'it is held'];
  return [
    ...broken,
    ...checkProgram(host, allowed),
    ...checkEnded(fs, facts),
    ...(allowed.givesUpRows ? [] : checkRows(fs, facts)),
  ];
}

/** How a story ended: the version that serves, or that it is held, and how each update ended. */
export function describeEnd({ fs, supervisor }: SimHost): string {
  const version = supervisor?.isHeld ? 'held' : supervisor?.worker?.program.version;
  return [version, ...readHistory(fs).map(({ outcome }) => outcome)].join(', ');
}

/** What serves lies at the target and was committed last; nothing of an update is left. */
function checkProgram({ fs, facts, supervisor }: SimHost, { first }: Allowance): readonly string[] {
  const broken: string[] = [];
  const target = parseProgram(fs.text(PROGRAM.target) ?? '')?.version;
  if (supervisor?.worker?.program.version !== target) broken.push('another program serves');
  const expected = facts.committed.at(-1)?.version ?? first;
  if (target !== expected) broken.push(`${target} lies at the target, not ${expected}`);
  for (const path of [PATHS.updateRecord, PROGRAM.tries, PROGRAM.staged]) {
    if (fs.facts(path)) broken.push(`${path} is left`);
  }
  return broken;
}

/** Every update that is over has one report, and what was committed is known to be. */
function checkEnded(fs: SimFs, facts: Facts): readonly string[] {
  const history = readHistory(fs);
  const reports = fs.list(PATHS.reportsDir);
  const countOf = (txn: string) => reports.filter((name) => name.endsWith(`-${txn}.json`)).length;
  const broken: string[] = [];
  if (history.some(({ txn }) => countOf(txn) !== 1)) broken.push('an update has not one report');
  for (const name of reports.filter((one) => one.endsWith('.json'))) {
    const report = asObject(parseJson(fs.text(`${PATHS.reportsDir}/${name}`) ?? ''));
    if (!report?.['txn']) broken.push('a report is broken');
  }
  for (const { txn } of facts.committed) {
    const end = history.find((entry) => entry.txn === txn);
    if (end?.outcome !== 'committed') broken.push('the history does not know what was committed');
  }
  return broken;
}

/** Nothing that somebody was told is there is gone, but what a new program wrote whose database was put back. */
function checkRows(fs: SimFs, facts: Facts): readonly string[] {
  const database = readDatabase(fs, PATHS.database);
  if (!database) return ['there is no database'];
  const rows = new Set(database.rows);
  const broken: string[] = [];
  for (let n = 0; n < facts.deliveries; n++) {
    if (!rows.has(`delivery ${n}`)) broken.push('a delivery is lost');
  }
  if (rows.size < database.rows.length) broken.push('a delivery was taken over twice');
  const history = readHistory(fs);
  for (const { row, by, txn } of facts.acknowledged) {
    const update = history.find((entry) => entry.txn === txn);
    const mayGo = update?.databaseRestored === true && update.to?.version === by;
    if (!rows.has(row) && !mayGo) broken.push(`a row of ${by} is lost`);
  }
  return broken;
}

function isWhole(fs: SimFs, path: string): boolean {
  return fs.facts(path)?.isExecutable === true && parseProgram(fs.text(path) ?? '') !== undefined;
}

const parseHistory = remembering(parseUpdateHistory);

function readHistory(fs: SimFs): readonly UpdateHistoryEntry[] {
  return parseHistory(fs.text(PATHS.updateHistory) ?? '');
}
