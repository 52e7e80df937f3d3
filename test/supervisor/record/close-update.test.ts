import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { programPaths, statePaths } from '../../../shared/contract/state-paths.ts';
import {
  parseQuarantine,
  parseUpdateHistory,
  parseUpdatePolicy,
  type UpdateOutcome,
} from '../../../shared/contract/update-history.ts';
import type { UpdateRecord } from '../../../shared/contract/update-record.ts';
import { realBulkFiles } from '../../../shared/fs/bulk-files.ts';
import type { Files } from '../../../shared/fs/files.ts';
import type { Memory } from '../../../supervisor/core/update/machine.ts';
import { NO_MEMORY } from '../../../supervisor/core/update/outcome.ts';
import { closeUpdate, tell } from '../../../supervisor/record/close-update.ts';
import { readRecord, writeRecord } from '../../../supervisor/record/record-store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { badMemory, NEW, OLD, RECORD } from '../core/update/fixture.ts';
import { quickFiles, recordingFiles } from './recording-files.ts';

const WALL_MS = 1_700_000_100_000;
const FAILURE = { code: 'UPDATE_START_FAILED', detail: 'It exited with 1.' } as const;
const ROLLED_BACK: UpdateRecord = { ...RECORD, state: 'rolled-back', failure: FAILURE };
const COMMITTED: UpdateRecord = { ...RECORD, txn: 'upd_5', state: 'committing' };

/** What a bad program leaves in the memory. */
const BAD: Memory = badMemory(NEW);

/** A state directory with an open update, a staged program and folders of earlier updates. */
function makeHost(context: TestContext, record: UpdateRecord) {
  const folder = makeTempFolder(context);
  const paths = statePaths(join(folder, 'state'));
  const program = programPaths(join(folder, 'program'));
  for (const txn of ['upd_1', 'upd_2', 'upd_3', 'upd_4', 'upd_5']) {
    mkdirSync(join(paths.backupsDir, txn), { recursive: true });
    writeFileSync(join(paths.backupsDir, txn, 'program'), txn);
  }
  writeRecord(paths.updateRecord, record, quickFiles);
  for (const path of [program.tries, program.staged, program.partial]) writeFileSync(path, 'left');
  const parts = { paths, program, bulk: realBulkFiles, wallMs: WALL_MS };
  const report = join(paths.reportsDir, `self-update-1699999999-${record.txn}.json`);
  const close = (outcome: UpdateOutcome, memory: Memory, files: Files = quickFiles) =>
    closeUpdate({ ...parts, files }, { record, outcome, memory });
  const readText = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
  /** Everything that an end leaves, where it may be compared. */
  const look = () => ({
    history: readText(paths.updateHistory),
    quarantine: parseQuarantine(readText(paths.quarantine) ?? ''),
    policy: parseUpdatePolicy(readText(paths.updatePolicy) ?? ''),
    report: readText(report),
    reports: existsSync(paths.reportsDir) ? readdirSync(paths.reportsDir).length : 0,
    backups: readdirSync(paths.backupsDir),
    isOpen: existsSync(paths.updateRecord),
    left: [program.tries, program.staged, program.partial].map((path) => existsSync(path)),
  });
  return { parts, paths, program, report, close, look };
}

describe('closeUpdate', () => {
  test('first remembers, then tells, then cleans up, and takes the record away last', (t) => {
    const { close } = makeHost(t, ROLLED_BACK);
    const { files, changes } = recordingFiles();
    close('rolled-back', BAD, files);
    const aside = (name: string) => [
      `create ${name}.tmp`,
      'write',
      'sync',
      `rename ${name}.tmp ${name}`,
    ];
    assert.deepEqual(changes, [
      ...[...aside('quarantine.json'), 'syncDirectory data'],
      ...[...aside('update-policy.json'), 'syncDirectory data'],
      ...['openToAppend update-history.jsonl', 'write', 'sync', 'syncDirectory data'],
      ...['makeDirectory self-update-reports', 'syncDirectory state'],
      ...aside('self-update-1699999999-upd_1.json'),
      'syncDirectory self-update-reports',
      ...['unlink program.tries', `syncDirectory ${folderName(t, changes)}`],
      ...['unlink program.new', `syncDirectory ${folderName(t, changes)}`],
      ...['unlink UPDATE_LOCK.json', 'syncDirectory data'],
    ]);
  });

  const ENDS: readonly [UpdateRecord, UpdateOutcome, Memory][] = [
    [ROLLED_BACK, 'rolled-back', BAD],
    [COMMITTED, 'committed', { ...NO_MEMORY, policy: { ...NO_MEMORY.policy, lastGood: NEW } }],
    [{ ...RECORD, state: 'aborting', outcome: 'failed', failure: FAILURE }, 'failed', NO_MEMORY],
  ];
  for (const [record, outcome, memory] of ENDS) {
    test(`${outcome}: repeated after a failure at each operation it ends the same`, (t) => {
      const whole = makeHost(t, record);
      const { files, changes } = recordingFiles();
      whole.close(outcome, memory, files);
      const expected = whole.look();
      assert.equal(expected.isOpen, false);
      for (let failAt = 1; failAt <= changes.length; failAt++) {
        // A folder that cannot be removed is left, see below.
        if (changes[failAt - 1]?.startsWith('removeTree')) continue;
        const host = makeHost(t, record);
        const { files: failing, changes: asked } = recordingFiles(failAt);
        assert.throws(() => host.close(outcome, memory, failing), { code: 'EIO' }, `${failAt}`);
        // As long as it is not over, the next start must find it.
        const isLast = asked.at(-1) === 'syncDirectory data' && asked.at(-2)?.startsWith('unlink');
        assert.equal(host.look().isOpen || isLast, true, `${failAt}: ${asked.at(-1)}`);
        host.close(outcome, memory);
        const end = host.look();
        const toCompare = ({ report, ...rest }: typeof end) => ({
          ...rest,
          report: JSON.parse((report ?? '').replaceAll(host.program.target, whole.program.target)),
        });
        assert.deepEqual(toCompare(end), toCompare(expected), `${failAt}: ${asked.at(-1)}`);
      }
    });
  }

  test('of what was committed only the newest folders stay, its own among them', (t) => {
    const { close, look } = makeHost(t, COMMITTED);
    close('committed', NO_MEMORY);
    assert.deepEqual(look().backups, ['upd_3', 'upd_4', 'upd_5']);
    assert.deepEqual(look().left, [false, false, false]);
  });

  test('of what was rolled back every folder stays, for a person to look at', (t) => {
    const { close, look } = makeHost(t, ROLLED_BACK);
    close('rolled-back', BAD);
    assert.equal(look().backups.length, 5);
    assert.deepEqual(look().left, [false, false, true]);
  });

  for (const outcome of ['failed', 'cancelled', 'current', 'dry-run'] as const) {
    test(`of one that ended as ${outcome} nothing was exchanged, so its own folder goes`, (t) => {
      const { close, look } = makeHost(t, { ...RECORD, state: 'aborting', outcome });
      close(outcome, NO_MEMORY);
      assert.deepEqual(look().backups, ['upd_2', 'upd_3', 'upd_4', 'upd_5']);
      assert.deepEqual(look().left, [false, false, outcome !== 'current']);
    });
  }

  test('a folder of former updates that cannot be removed does not keep an update open', (t) => {
    const sick: Files = {
      ...quickFiles,
      removeTree: (path) => {
        if (path.endsWith('upd_1')) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
        quickFiles.removeTree(path);
      },
    };
    const { close, look } = makeHost(t, COMMITTED);
    close('committed', NO_MEMORY, sick);
    assert.equal(look().isOpen, false);
    assert.deepEqual(look().backups, ['upd_1', 'upd_3', 'upd_4', 'upd_5']);
    const given = makeHost(t, { ...RECORD, state: 'aborting', outcome: 'cancelled' });
    given.close('cancelled', NO_MEMORY, sick);
    assert.equal(given.look().isOpen, false);
    assert.ok(given.look().backups.includes('upd_1'));
  });

  test('one that was to take the place of a held one leaves that, and its tries, as they were', (t) => {
    const { over: _over, extra: _extra, ...held } = { ...ROLLED_BACK, state: 'held' as const };
    const record: UpdateRecord = { ...RECORD, txn: 'upd_2', state: 'aborting', over: held };
    const { close, look, paths } = makeHost(t, record);
    close('failed', NO_MEMORY);
    const reading = readRecord(paths.updateRecord, quickFiles, 0);
    assert.ok(reading.kind === 'record');
    assert.deepEqual([reading.record.txn, reading.record.state], ['upd_1', 'held']);
    assert.deepEqual(look().left, [true, false, true]);
    assert.deepEqual(look().backups, ['upd_1', 'upd_3', 'upd_4', 'upd_5']);
  });
});

describe('tell', () => {
  test('leaves the record, for another one takes its place', (t) => {
    const { parts, look } = makeHost(t, ROLLED_BACK);
    const closing = { record: ROLLED_BACK, outcome: 'superseded', memory: BAD } as const;
    tell({ ...parts, files: quickFiles }, closing);
    const { isOpen, left, history, quarantine } = look();
    assert.deepEqual([isOpen, left], [true, [true, true, true]]);
    assert.deepEqual(parseUpdateHistory(history ?? '')[0]?.outcome, 'superseded');
    assert.deepEqual(quarantine, BAD.quarantine);
  });

  test('writes what is remembered only where it has changed', (t) => {
    const { parts } = makeHost(t, ROLLED_BACK);
    const closing = { record: ROLLED_BACK, outcome: 'rolled-back', memory: BAD } as const;
    tell({ ...parts, files: quickFiles }, closing);
    const { files, changes } = recordingFiles();
    tell({ ...parts, files }, closing);
    assert.equal(
      changes.some((change) => /quarantine|policy/.test(change)),
      false,
      changes.join('\n'),
    );
  });

  test('reports the run with the fields that importers know', (t) => {
    const { parts, report, program } = makeHost(t, ROLLED_BACK);
    const closing = { record: ROLLED_BACK, outcome: 'rolled-back', memory: BAD } as const;
    tell({ ...parts, files: quickFiles }, closing);
    const written = JSON.parse(readFileSync(report, 'utf8'));
    assert.deepEqual(
      [written.type, written.status, written.binary_path, written.runner_host, written.runner_pid],
      ['self-update-run', 'failed', program.target, hostname(), process.pid],
    );
    assert.deepEqual([written.dry_run, written.from.version], [false, OLD.version]);
  });

  test('does not report again what was imported', (t) => {
    const { parts, report, look } = makeHost(t, ROLLED_BACK);
    const closing = { record: ROLLED_BACK, outcome: 'rolled-back', memory: BAD } as const;
    tell({ ...parts, files: quickFiles }, closing);
    renameSync(report, `${report}.imported`);
    tell({ ...parts, files: quickFiles }, closing);
    assert.deepEqual([look().report, look().reports], [undefined, 1]);
  });
});

/** The name of the folder of the program, which the test does not choose. */
function folderName(_context: TestContext, changes: readonly string[]): string {
  return changes.find((change) => change.includes('podup'))?.replace('syncDirectory ', '') ?? '';
}
