import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { DatabaseBackup } from '../../../shared/contract/update-record.ts';
import { realBulkFiles } from '../../../shared/fs/bulk-files.ts';
import { realFiles } from '../../../shared/fs/files.ts';
import {
  backUp,
  type DatabaseParts,
  inspect,
  putBack,
  settleDatabase,
} from '../../../supervisor/acts/database-acts.ts';
import type { HelperEnd } from '../../../supervisor/acts/run-helper.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { RECORD } from '../core/update/fixture.ts';
import { sha256 } from './acts-fixture.ts';

const COPIED = { kind: 'copy', sha256: sha256('copied'), bytes: 6, schema: 3 } as const;
const FIT = { exists: true, schema: 3, compatible: true, sound: true, detail: '' };
const GONE: HelperEnd = { ok: false, detail: 'It ended with 1.' };

type Answers = (program: string, args: readonly string[]) => HelperEnd;

/** A database, and programs that answer so. */
function makeParts(context: TestContext, answers: Answers, openers: readonly string[] = []) {
  const data = makeTempFolder(context);
  const asked: string[] = [];
  const parts: DatabaseParts = {
    database: join(data, 'x.db'),
    folder: join(data, 'backups', 'upd_1'),
    files: realFiles,
    bulk: realBulkFiles,
    ask: async (file, args) => {
      asked.push(`${file} ${args[0]}`);
      return answers(file, args);
    },
    clearOpeners: () => {
      asked.push('clear');
      return openers;
    },
  };
  writeFileSync(parts.database, 'as it is');
  return { parts, asked, file: join(parts.folder, 'database.db') };
}

const says = (value: unknown): HelperEnd => ({ ok: true, value });
const failed = (code: string, detail: string) => ({ ok: false, failure: { code, detail } });

describe('backUp', () => {
  test('is done by the first program that can, and its facts are kept beside it', async (t) => {
    const { parts, asked, file } = makeParts(t, (program) =>
      program === 'new' ? says(COPIED) : GONE,
    );
    const backup = { ...COPIED, file };
    assert.deepEqual(await backUp(parts, ['old', 'new', 'never']), { ok: true, value: backup });
    assert.deepEqual(asked, ['old db-backup', 'new db-backup']);
    assert.deepEqual(JSON.parse(readFileSync(join(parts.folder, 'backup.json'), 'utf8')), backup);
  });

  test('of no database is none', async (t) => {
    const none = { kind: 'none', sha256: null, bytes: 0, schema: null };
    const { parts } = makeParts(t, () => says(none));
    assert.deepEqual(await backUp(parts, ['old']), { ok: true, value: { ...none, file: null } });
  });

  test('what an earlier attempt left is gone before a program is asked', async (t) => {
    let seen: readonly string[] = [];
    const { parts, file } = makeParts(t, () => {
      seen = readdirSync(parts.folder);
      return says(COPIED);
    });
    mkdirSync(parts.folder, { recursive: true });
    for (const end of ['', '-wal', '.partial']) writeFileSync(`${file}${end}`, 'left');
    await backUp(parts, ['old']);
    assert.deepEqual(seen, []);
  });

  test('is done file by file where no program can, once nobody has it open', async (t) => {
    const { parts, asked, file } = makeParts(t, () => says('nonsense'));
    const backup = await backUp(parts, ['old', 'new']);
    assert.ok(backup.ok);
    assert.equal(backup.value.kind, 'raw');
    assert.deepEqual(asked, ['old db-backup', 'new db-backup', 'clear']);
    assert.equal(readFileSync(file, 'utf8'), 'as it is');
    const kept = JSON.parse(readFileSync(join(parts.folder, 'backup.json'), 'utf8'));
    assert.deepEqual(kept, backup.value);
  });

  test('fails where somebody has it open, and names him', async (t) => {
    const openers = ['process 7 (sqlite3)', 'process 8 (cp)'];
    const { parts, file } = makeParts(t, () => GONE, openers);
    const detail = 'It ended with 1. The database is open in process 7 (sqlite3), process 8 (cp).';
    assert.deepEqual(await backUp(parts, ['old']), failed('UPDATE_BACKUP_FAILED', detail));
    assert.equal(existsSync(file), false);
  });

  test('fails where it cannot be copied either, and says both', async (t) => {
    const { parts } = makeParts(t, () => says('nonsense'));
    mkdirSync(`${parts.database}-wal`);
    const backup = await backUp(parts, ['old']);
    assert.ok(!backup.ok);
    assert.equal(backup.failure.code, 'UPDATE_BACKUP_FAILED');
    assert.match(backup.failure.detail, /^The answer of db-backup cannot be read\. .*EISDIR/);
  });
});

describe('inspect', () => {
  const ROWS: readonly [string, HelperEnd, boolean, string][] = [
    ['sound and compatible fits', says(FIT), true, ''],
    [
      'not sound does not',
      says({ ...FIT, sound: false, detail: 'row 7 missing' }),
      false,
      'row 7 missing',
    ],
    [
      'not compatible does not',
      says({ ...FIT, compatible: false, detail: 'too new' }),
      false,
      'too new',
    ],
    ['no answer does not', GONE, false, 'It ended with 1.'],
    ['another answer does not', says({}), false, 'Its answer cannot be read.'],
  ];
  for (const [title, end, isFit, detail] of ROWS) {
    test(title, async () => {
      const ask = async () => end;
      const isAnswered = !title.endsWith('answer does not');
      assert.deepEqual(await inspect({ ask }, 'program'), { isFit, isAnswered, detail });
    });
  }
});

/** A backup that is there and right. */
function makeBackup(parts: DatabaseParts): DatabaseBackup {
  mkdirSync(parts.folder, { recursive: true });
  const file = join(parts.folder, 'database.db');
  writeFileSync(file, 'copied');
  return { ...COPIED, file };
}

describe('settleDatabase', () => {
  const record = (over: Partial<typeof RECORD.database>) => ({
    ...RECORD,
    database: { ...RECORD.database, backup: null, ...over },
  });

  test('a database that the old program can run on is left, for nothing is lost then', async (t) => {
    const { parts, asked } = makeParts(t, () => says(FIT));
    const backup = makeBackup(parts);
    const settled = await settleDatabase(parts, record({ backup }), 'old');
    assert.deepEqual(settled, { ok: true, value: false });
    assert.deepEqual(asked, ['old db-inspect']);
    assert.equal(readFileSync(parts.database, 'utf8'), 'as it is');
  });

  test('another one gives way to the backup, and is kept', async (t) => {
    let looks = 0;
    const { parts } = makeParts(t, () => says({ ...FIT, compatible: ++looks > 1 }));
    const settled = await settleDatabase(parts, record({ backup: makeBackup(parts) }), 'old');
    assert.deepEqual(settled, { ok: true, value: true });
    assert.equal(readFileSync(parts.database, 'utf8'), 'copied');
    assert.equal(readFileSync(join(parts.folder, 'failed', 'x.db'), 'utf8'), 'as it is');
  });

  test('one that gave way is not asked about again: the restoration is done to its end', async (t) => {
    const { parts } = makeParts(t, () => says(FIT));
    const backup = makeBackup(parts);
    mkdirSync(join(parts.folder, 'failed'));
    writeFileSync(join(parts.folder, 'failed', 'x.db'), 'what failed');
    const settled = await settleDatabase(parts, record({ backup }), 'old');
    assert.deepEqual(settled, { ok: true, value: true });
    assert.equal(readFileSync(parts.database, 'utf8'), 'copied');
  });

  test('one that was put there on purpose gives way unasked: the one from before belongs back', async (t) => {
    const { parts, asked } = makeParts(t, () => says(FIT));
    const backup = makeBackup(parts);
    const settled = await settleDatabase(parts, record({ backup, wanted: backup }), 'old');
    assert.deepEqual(settled, { ok: true, value: true });
    assert.deepEqual(asked, ['clear', 'old db-inspect']);
  });

  test('without a backup nothing can be put back', async (t) => {
    const { parts } = makeParts(t, () => GONE);
    const expected = failed('UPDATE_RESTORE_FAILED', 'There is no backup.');
    assert.deepEqual(await settleDatabase(parts, record({}), 'old'), expected);
  });

  test('a backup that cannot be put back is a failure', async (t) => {
    const { parts } = makeParts(t, () => GONE);
    const backup = { ...makeBackup(parts), sha256: sha256('other') };
    const settled = await settleDatabase(parts, record({ backup }), 'old');
    assert.equal(!settled.ok && settled.failure.code, 'UPDATE_RESTORE_FAILED');
    assert.equal(readFileSync(parts.database, 'utf8'), 'as it is');
  });
});

describe('putBack', () => {
  test('touches nothing while somebody has the database open', async (t) => {
    const { parts } = makeParts(t, () => says(FIT), ['process 7 (sqlite3)']);
    const detail = 'The database is open in process 7 (sqlite3).';
    const put = await putBack(parts, makeBackup(parts), 'old', 'failed');
    assert.deepEqual(put, failed('UPDATE_RESTORE_FAILED', detail));
    assert.equal(readFileSync(parts.database, 'utf8'), 'as it is');
  });

  test('leaves it to the worker where the program cannot be asked', async (t) => {
    const { parts } = makeParts(t, () => GONE);
    assert.equal((await putBack(parts, makeBackup(parts), 'old', 'failed')).ok, true);
    assert.equal(readFileSync(parts.database, 'utf8'), 'copied');
  });

  test('fails where the program cannot run on what was put back either', async (t) => {
    const { parts } = makeParts(t, () => says({ ...FIT, sound: false, detail: 'torn' }));
    const put = await putBack(parts, makeBackup(parts), 'old', 'failed');
    assert.deepEqual(put, failed('UPDATE_RESTORE_FAILED', 'torn'));
  });

  test('is not taken for done because another database was put back before', async (t) => {
    const { parts } = makeParts(t, () => says(FIT));
    const backup = makeBackup(parts);
    const file = join(parts.folder, 'wanted.db');
    writeFileSync(file, 'wanted');
    const wanted = { ...backup, file, sha256: sha256('wanted') };
    assert.equal((await putBack(parts, wanted, 'new', 'given-up')).ok, true);
    assert.equal(readFileSync(parts.database, 'utf8'), 'wanted');
    assert.equal((await putBack(parts, backup, 'old', 'failed')).ok, true);
    assert.equal(readFileSync(parts.database, 'utf8'), 'copied');
    const kept = (name: string) => readdirSync(join(parts.folder, name)).length;
    assert.ok(kept('given-up') > 0 && kept('failed') > 0);
  });
});
