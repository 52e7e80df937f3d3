import { hostname } from 'node:os';
import type { ProgramPaths } from '../../shared/contract/state-paths.ts';
import type { UpdateOutcome } from '../../shared/contract/update-history.ts';
import type { UpdateRecord } from '../../shared/contract/update-record.ts';
import { formatUpdateReport } from '../../shared/contract/update-report.ts';
import type { BulkFiles } from '../../shared/fs/bulk-files.ts';
import { makeDirectoryDurably, writeFileDurably } from '../../shared/fs/durable-file.ts';
import type { Files } from '../../shared/fs/files.ts';
import type { Memory } from '../core/update/machine.ts';
import { toHistory } from '../core/update/outcome.ts';
import { takeUpAgain } from '../core/update/record-moves.ts';
import { listForgotten } from '../release/kept-programs.ts';
import { type ProgramParts, removeLeftovers, removeStaged } from '../release/program-files.ts';
import { appendHistory } from './history.ts';
import { type MemoryPaths, readMemory, writePolicy, writeQuarantine } from './memory-store.ts';
import { removeRecord, writeRecord } from './record-store.ts';

/** What the end of an update works with. */
export type CloseParts = {
  readonly paths: MemoryPaths & {
    readonly updateRecord: string;
    readonly updateHistory: string;
    readonly backupsDir: string;
    readonly reportsDir: string;
  };
  readonly program: ProgramPaths;
  readonly files: Files;
  readonly bulk: BulkFiles;
  readonly wallMs: number;
};

/** How an update ends, and what is to be remembered of it. */
export type Closing = {
  readonly record: UpdateRecord;
  readonly outcome: UpdateOutcome;
  readonly memory: Memory;
};

/** Ends of an update that has exchanged the program, for good or for a while. */
const EXCHANGED: ReadonlySet<UpdateOutcome> = new Set(['committed', 'rolled-back', 'superseded']);

/**
 * Ends an update for good. The order is what makes it safe to be cut off anywhere and repeated: first what must not be
 * forgotten (a bad program is never taken again), then what is told, then what may go, and the record as the last of
 * all; the held one, where this update was to take its place, is there again. Throws the system's error; the record is
 * then still there.
 */
export function closeUpdate(parts: CloseParts, closing: Closing): void {
  tell(parts, closing);
  const { paths, program, files, bulk } = parts;
  const { record, outcome } = closing;
  const programParts: ProgramParts = { program, folder: '', files, bulk };
  const isDone = outcome === 'committed' || outcome === 'current';
  const folder = `${paths.backupsDir}/${record.txn}`;
  // Nothing was exchanged, so nobody goes back to what was copied. A full disk would fill up further with each attempt.
  if (!EXCHANGED.has(outcome) && files.facts(folder)) forget(folder, files);
  if (record.over) {
    // Neither version runs still: the launcher goes on taking the old one.
    removeStaged(programParts, isDone);
    writeRecord(paths.updateRecord, takeUpAgain(record.over), files);
    return;
  }
  removeLeftovers(programParts, isDone);
  if (outcome === 'committed') {
    for (const old of listForgotten(paths.backupsDir, record.txn, files)) forget(old, files);
  }
  removeRecord(paths.updateRecord, files);
}

/** What cannot be removed costs room only: it must not keep the update open. The next one that is committed tries again. */
function forget(folder: string, files: Files): void {
  try {
    files.removeTree(folder);
  } catch {
    // It stays, and is listed again.
  }
}

/** Everything but the removal: for an update whose place another one takes at once. */
export function tell({ paths, program, files, wallMs }: CloseParts, closing: Closing): void {
  const { record, outcome, memory } = closing;
  const known = readMemory(paths, files, wallMs, () => undefined);
  if (!isSame(known.quarantine, memory.quarantine)) {
    writeQuarantine(paths, memory.quarantine, files);
  }
  if (!isSame(known.policy, memory.policy)) writePolicy(paths, memory.policy, files);
  const entry = toHistory(record, outcome, wallMs);
  appendHistory(paths.updateHistory, entry, files);
  // Named by the update, so that a repeat is the same report and not another one.
  const seconds = Math.floor(record.startedAt / 1000);
  const report = `${paths.reportsDir}/self-update-${seconds}-${record.txn}.json`;
  if (files.facts(`${report}.imported`) === undefined) {
    makeDirectoryDurably(paths.reportsDir, 0o700, files);
    const facts = {
      binaryPath: program.target,
      host: hostname(),
      pid: process.pid,
      dryRun: record.request.dryRun,
    };
    writeFileDurably(report, JSON.stringify(formatUpdateReport(entry, facts)), 0o600, files);
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
