import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { programPaths, statePaths } from '../../shared/contract/state-paths.ts';
import { UPDATE_STATES } from '../../shared/contract/update-record.ts';
import { type Files, realFiles } from '../../shared/fs/files.ts';
import { NO_MEMORY } from '../../supervisor/core/update/outcome.ts';
import { findOnDisk } from '../../supervisor/find-on-disk.ts';
import type { Installation } from '../../supervisor/installation.ts';
import { writePolicy, writeQuarantine } from '../../supervisor/record/memory-store.ts';
import { writeRecord } from '../../supervisor/record/record-store.ts';
import { keepLog } from '../helpers/log-lines.ts';
import { makeTempFolder } from '../helpers/temp-folder.ts';
import { badMemory, NEW, RECORD } from './core/update/fixture.ts';
import { untouched } from './record/damaged-record.ts';

type Looking = {
  readonly slot?: Installation['slot'];
  readonly isForeign?: boolean;
  readonly files?: Partial<Files>;
};

/** A state directory and a program with a counter of tries, and `find`, which looks through them. */
function makeHost(context: TestContext) {
  const folder = makeTempFolder(context);
  const paths = statePaths(join(folder, 'state'));
  mkdirSync(paths.dataDir, { recursive: true });
  const program = programPaths(join(folder, 'program'));
  writeFileSync(program.target, 'content');
  writeFileSync(program.tries, '0\n');
  const { log, lines } = keepLog();
  const find = ({ slot = 'target', isForeign = false, files = {} }: Looking = {}) => {
    const unavailable =
      slot === 'elsewhere' ? ({ code: 'UPDATE_UNAVAILABLE', detail: 'elsewhere' } as const) : null;
    const installation = { program, slot, unavailable };
    return findOnDisk({ paths, installation, files: { ...realFiles, ...files }, isForeign, log });
  };
  return { paths, program, find, lines, hasTries: () => existsSync(program.tries) };
}

const DIGEST = createHash('sha256').update('content').digest('hex');
const NOTHING = {
  record: null,
  memory: NO_MEMORY,
  unavailable: null,
  slot: 'target',
  targetDigest: null,
};

describe('findOnDisk: no open update', () => {
  test('finds nothing, and takes away a counter that nobody needs', async (t) => {
    const { find, hasTries } = makeHost(t);
    assert.deepEqual(await find(), NOTHING);
    assert.equal(hasTries(), false);
    assert.deepEqual(await find(), NOTHING);
  });

  test('a counter that cannot be taken away is no reason not to run', async (t) => {
    const { find, hasTries } = makeHost(t);
    const unlink = () => {
      throw Object.assign(new Error('no'), { code: 'EROFS' });
    };
    assert.deepEqual(await find({ files: { unlink } }), NOTHING);
    assert.equal(hasTries(), true);
  });

  test('folders that cannot be looked through are no reason not to run', async (t) => {
    const { find, paths } = makeHost(t);
    mkdirSync(join(paths.dataDir, 'backups'));
    writeFileSync(paths.backupsDir, 'in the way');
    assert.deepEqual(await find(), NOTHING);
  });

  test('a program that lies elsewhere leaves the counter of the other alone', async (t) => {
    const { find, hasTries } = makeHost(t);
    const found = await find({ slot: 'elsewhere' });
    assert.equal(found.unavailable?.code, 'UPDATE_UNAVAILABLE');
    assert.equal(hasTries(), true);
  });

  test('remembers what is bad and what is on hold, and tells of what it cannot read', async (t) => {
    const { find, paths, lines } = makeHost(t);
    const { policy, quarantine } = badMemory(NEW);
    writePolicy(paths, policy, realFiles);
    writeQuarantine(paths, quarantine, realFiles);
    assert.deepEqual((await find()).memory, { policy, quarantine });
    writeFileSync(paths.updatePolicy, 'torn');
    assert.deepEqual((await find()).memory, { policy: NO_MEMORY.policy, quarantine });
    assert.deepEqual(
      lines.map(({ msg, path }) => [msg, path]),
      [['a file of the self-update was broken and is kept aside', paths.updatePolicy]],
    );
  });
});

describe('findOnDisk: an open update', () => {
  for (const state of UPDATE_STATES) {
    const isHashed = state === 'switching' || state === 'rolling-back';
    test(`in ${state} it is found, ${isHashed ? 'and which program lies there' : 'no more'}`, async (t) => {
      const { find, paths, hasTries } = makeHost(t);
      const record = { ...RECORD, state };
      writeRecord(paths.updateRecord, record, realFiles);
      for (const slot of ['target', 'old'] as const) {
        const targetDigest = isHashed ? DIGEST : null;
        assert.deepEqual(await find({ slot }), { ...NOTHING, record, slot, targetDigest });
      }
      assert.equal(hasTries(), true);
    });
  }

  test('with nothing at the target it is found all the same', async (t) => {
    const { find, paths, program } = makeHost(t);
    writeRecord(paths.updateRecord, { ...RECORD, state: 'switching' }, realFiles);
    rmSync(program.target);
    const found = await find({ slot: 'old' });
    assert.deepEqual([found.record?.txn, found.targetDigest], [RECORD.txn, null]);
  });

  test('a program that lies elsewhere cannot act upon it, and leaves it for the one that can', async (t) => {
    const { find, paths, hasTries } = makeHost(t);
    writeRecord(paths.updateRecord, RECORD, realFiles);
    const content = readFileSync(paths.updateRecord, 'utf8');
    const found = await find({ slot: 'elsewhere' });
    assert.deepEqual([found.record, found.unavailable?.code], [null, 'UPDATE_UNAVAILABLE']);
    assert.deepEqual([readFileSync(paths.updateRecord, 'utf8'), hasTries()], [content, true]);
  });

  test('a record of a newer program is left alone with its counter, and no update is made', async (t) => {
    const { find, paths, lines, hasTries } = makeHost(t);
    writeFileSync(paths.updateRecord, untouched());
    const found = await find();
    assert.deepEqual(found.unavailable, {
      code: 'UPDATE_RECORD_NEWER',
      detail: 'It has format 2.',
    });
    assert.deepEqual([found.record, hasTries()], [null, true]);
    assert.equal(readFileSync(paths.updateRecord, 'utf8'), untouched());
    assert.deepEqual(
      lines.map(({ code }) => code),
      ['UPDATE_RECORD_NEWER'],
    );
  });

  test('a broken record is none: what lies at the target runs, and updates can be made', async (t) => {
    const { find, paths, lines, hasTries } = makeHost(t);
    writeFileSync(paths.updateRecord, 'torn');
    assert.deepEqual(await find(), NOTHING);
    assert.deepEqual([existsSync(paths.updateRecord), hasTries()], [false, false]);
    assert.deepEqual(
      lines.map(({ msg, reason }) => [msg, reason]),
      [['the update record was broken and is kept aside', 'it is no JSON object']],
    );
  });
});

describe('findOnDisk: another program', () => {
  test('is not updated, and what lies there is not looked at', async (t) => {
    const { find, paths, hasTries } = makeHost(t);
    writeFileSync(paths.updateRecord, 'torn');
    const found = await find({ isForeign: true, slot: 'elsewhere' });
    assert.deepEqual(found.unavailable, {
      code: 'UPDATE_UNAVAILABLE',
      detail: 'Another program is supervised.',
    });
    assert.deepEqual([existsSync(paths.updateRecord), hasTries()], [true, true]);
  });
});
