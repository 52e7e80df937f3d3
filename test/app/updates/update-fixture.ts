import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import type { ReleaseIdentity } from '../../../shared/contract/release.ts';
import { type StatePaths, statePaths } from '../../../shared/contract/state-paths.ts';
import type { UpdateHistoryEntry } from '../../../shared/contract/update-history.ts';
import { formatUpdateRecord, type UpdateRecord } from '../../../shared/contract/update-record.ts';
import type { UpdateStatus } from '../../../shared/contract/update-status.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** The digest that a file with this content has. */
export function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A program of this version; its digest follows from it. */
export function release(version: string, over: Partial<ReleaseIdentity> = {}): ReleaseIdentity {
  const digest = sha256(version);
  return { version, digest, generation: null, tag: `v${version}`, commit: null, ...over };
}

/** An open update from 1.0.0 to 2.0.0. */
export function updateRecord(over: Partial<UpdateRecord> = {}): UpdateRecord {
  return {
    v: 1,
    txn: 'upd_1',
    kind: 'release',
    seq: 3,
    state: 'staging',
    from: release('1.0.0'),
    to: release('2.0.0'),
    request: {
      id: 'req-1',
      trigger: 'cli',
      by: null,
      reason: null,
      dryRun: false,
      tag: null,
      force: false,
      version: null,
      restoreDatabase: false,
      at: 1_700_000_000_000,
    },
    startedAt: 1_700_000_000_000,
    bootId: 'boot',
    stagingLeft: 3,
    triesLeft: 3,
    handOversLeft: 2,
    rollbackAttempts: 0,
    failure: null,
    outcome: null,
    database: {
      backup: null,
      newVersionStarted: false,
      restored: false,
      wanted: null,
      wantedRestored: false,
    },
    steps: [{ state: 'requested', at: 1_700_000_000_000, ms: 5 }],
    warnings: [],
    over: null,
    extra: {},
    ...over,
  };
}

/** An update from 1.0.0 to 2.0.0 that is over. */
export function historyEntry(over: Partial<UpdateHistoryEntry> = {}): UpdateHistoryEntry {
  return {
    v: 1,
    txn: 'upd_1',
    kind: 'release',
    outcome: 'committed',
    from: release('1.0.0'),
    to: release('2.0.0'),
    request: { id: 'req-1', trigger: 'cli', by: null },
    startedAt: 1_700_000_000_000,
    finishedAt: 1_700_000_060_000,
    failure: null,
    databaseRestored: false,
    steps: [{ state: 'staging', at: 1_700_000_000_000, ms: 1200 }],
    warnings: [],
    ...over,
  };
}

/** What a supervisor says of itself. */
export function updateStatus(over: Partial<UpdateStatus> = {}): UpdateStatus {
  return {
    change: 1,
    supervisor: { pid: 4711, version: '1.0.0', slot: 'target' },
    unavailable: null,
    update: null,
    ...over,
  };
}

/** The open update in what a supervisor says of itself. */
export function openUpdate(over: Partial<NonNullable<UpdateStatus['update']>> = {}) {
  const { txn, kind, state, from, to, startedAt, triesLeft, failure, steps } = updateRecord();
  const open = { txn, kind, state, from, to, startedAt, triesLeft, failure, steps };
  return { ...open, trigger: 'cli', dryRun: false, progress: null, ...over } as const;
}

/** The paths of a state directory of the test, which is there. */
export function makeState(context: TestContext): StatePaths {
  const paths = statePaths(makeTempFolder(context));
  mkdirSync(paths.dataDir);
  return paths;
}

/** Writes files as a supervisor would, without its care for power cuts. */
export function writeUpdateFiles(
  paths: StatePaths,
  files: {
    readonly record?: UpdateRecord;
    readonly history?: readonly UpdateHistoryEntry[];
    readonly quarantine?: unknown;
    readonly policy?: unknown;
  },
): void {
  mkdirSync(dirname(paths.updateRecord), { recursive: true });
  if (files.record) writeFileSync(paths.updateRecord, formatUpdateRecord(files.record, sha256));
  for (const entry of files.history ?? []) {
    appendFileSync(paths.updateHistory, `${JSON.stringify(entry)}\n`);
  }
  if (files.quarantine) writeFileSync(paths.quarantine, JSON.stringify(files.quarantine));
  if (files.policy) writeFileSync(paths.updatePolicy, JSON.stringify(files.policy));
}

/** Keeps a program as an update does before it exchanges it. */
export function keepProgram(
  paths: StatePaths,
  txn: string,
  { version, hasDatabase = true }: { readonly version: string; readonly hasDatabase?: boolean },
): string {
  const folder = `${paths.backupsDir}/${txn}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/program`, version);
  writeFileSync(`${folder}/program.json`, JSON.stringify(release(version)));
  const backup = hasDatabase
    ? { kind: 'copy', file: `${folder}/database.db`, sha256: sha256(''), bytes: 8, schema: 1 }
    : { kind: 'none', file: null, sha256: null, bytes: 0, schema: null };
  writeFileSync(`${folder}/backup.json`, JSON.stringify(backup));
  return folder;
}
