import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { realFiles } from '../../../shared/fs/files.ts';
import { findKept, listForgotten, listKept } from '../../../supervisor/release/kept-programs.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { BACKUP, release } from '../core/update/fixture.ts';

const ONE = release('1.0.0', '1');
const TWO = release('2.0.0', '2');

/** A folder of backups with these files in the folders of updates. */
function makeFolder(
  context: TestContext,
  updates: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): string {
  const backupsDir = join(makeTempFolder(context), 'auto_update');
  for (const [txn, contents] of Object.entries(updates)) {
    mkdirSync(join(backupsDir, txn), { recursive: true });
    for (const [name, content] of Object.entries(contents)) {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      writeFileSync(join(backupsDir, txn, name), text);
    }
  }
  return backupsDir;
}

const kept = (identity: unknown, more: Readonly<Record<string, unknown>> = {}) => ({
  program: 'content',
  'program.json': identity,
  ...more,
});

describe('listKept', () => {
  test('has the newest first', (t) => {
    const backupsDir = makeFolder(t, { upd_b: kept(TWO), upd_a: kept(ONE), upd_c: kept(ONE) });
    assert.deepEqual(listKept(backupsDir, realFiles), [
      { folder: `${backupsDir}/upd_c`, release: ONE },
      { folder: `${backupsDir}/upd_b`, release: TWO },
      { folder: `${backupsDir}/upd_a`, release: ONE },
    ]);
  });

  test('passes over what is not whole', (t) => {
    const backupsDir = makeFolder(t, {
      upd_1: { 'program.json': ONE },
      upd_2: { program: 'content' },
      upd_3: kept({ ...ONE, digest: 'none' }),
      upd_4: kept('{"version":'),
      upd_5: kept('x'.repeat(70_000)),
      upd_6: kept(TWO),
    });
    writeFileSync(join(backupsDir, 'upd_7'), 'no folder');
    const versions = listKept(backupsDir, realFiles).map(({ release: { version } }) => version);
    assert.deepEqual(versions, ['2.0.0']);
  });

  test('is empty where nothing was ever kept', (t) => {
    assert.deepEqual(listKept(join(makeTempFolder(t), 'none'), realFiles), []);
  });
});

describe('findKept', () => {
  test('finds by version, digest or tag, and takes the newest', (t) => {
    const again = { ...ONE, commit: 'newer' };
    const backupsDir = makeFolder(t, {
      upd_1: kept(ONE),
      upd_2: kept(again, { 'backup.json': BACKUP }),
      upd_3: kept(TWO),
    });
    for (const wanted of ['1.0.0', ONE.digest, 'v1.0.0']) {
      assert.deepEqual(findKept(backupsDir, wanted, realFiles), {
        file: `${backupsDir}/upd_2/program`,
        release: again,
        backup: BACKUP,
      });
    }
    for (const wanted of ['', '1.0', 'upd_1', '3.0.0']) {
      assert.equal(findKept(backupsDir, wanted, realFiles), null);
    }
  });

  test('of one without a tag no tag is found', (t) => {
    const backupsDir = makeFolder(t, { upd_1: kept({ ...ONE, tag: null }) });
    assert.equal(findKept(backupsDir, 'null', realFiles), null);
  });

  test('a backup that cannot be read is none', (t) => {
    for (const backup of ['{', { ...BACKUP, kind: 'other' }]) {
      const backupsDir = makeFolder(t, { upd_1: kept(ONE, { 'backup.json': backup }) });
      assert.equal(findKept(backupsDir, '1.0.0', realFiles)?.backup, null);
      rmSync(backupsDir, { recursive: true });
    }
  });
});

describe('listForgotten', () => {
  const ROWS: readonly [readonly string[], readonly string[]][] = [
    [
      ['upd_1', 'upd_2', 'upd_3', 'upd_4', 'upd_5'],
      ['upd_1', 'upd_2'],
    ],
    [['upd_1', 'upd_2', 'upd_5'], []],
    [['upd_5'], []],
    // Its clock was wrong, but it is the open one.
    [['upd_5', 'upd_6', 'upd_7', 'upd_8'], ['upd_6']],
  ];
  for (const [there, expected] of ROWS) {
    test(`of ${there.join(', ')} with upd_5 open: ${expected.join(', ') || 'none'}`, (t) => {
      const backupsDir = makeFolder(t, Object.fromEntries(there.map((name) => [name, {}])));
      assert.deepEqual(
        listForgotten(backupsDir, 'upd_5', realFiles),
        expected.map((name) => `${backupsDir}/${name}`),
      );
    });
  }
});
