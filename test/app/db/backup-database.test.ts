import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { backUpDatabase } from '../../../app/db/backup-database.ts';
import { openDatabase } from '../../../app/db/open-database.ts';
import { realFiles } from '../../../shared/fs/files.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

function makePaths(context: TestContext) {
  const folder = makeTempFolder(context);
  return { path: join(folder, 'data/x.db'), file: join(folder, 'a/b/database.db') };
}

/** A database in use, with `rows` rows of which the last stand in its log only. */
function makeDatabase(context: TestContext, path: string, rows = 10) {
  const opened = openDatabase(path);
  assert.ok(opened.ok);
  const database = opened.value;
  context.after(() => database.close());
  database.exec('CREATE TABLE t (row TEXT); CREATE INDEX by_row ON t (row)');
  database.pragma('user_version = 7');
  const insert = database.prepare('INSERT INTO t VALUES (?)');
  database.transaction(() => {
    for (let row = 0; row < rows; row++) insert.run(`row ${row}`);
  })();
  return database;
}

function countRows(file: string): unknown {
  const copy = new SqliteDatabase(file, { readonly: true });
  const count = copy.prepare('SELECT count(*) FROM t').pluck().get();
  copy.close();
  return count;
}

describe('a backup', () => {
  test('is one file with everything, checked, with its digest, for its user only', async (t) => {
    const { path, file } = makePaths(t);
    makeDatabase(t, path);
    assert.ok(statSync(`${path}-wal`).size > 0, 'something stands in the log only');
    const backup = await backUpDatabase(path, file);
    assert.ok(backup.ok, JSON.stringify(backup));
    const content = readFileSync(file);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const bytes = content.length;
    assert.deepEqual(backup.value, { kind: 'copy', sha256, bytes, schema: 7 });
    assert.deepEqual(readdirSync(dirname(file)), ['database.db']);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(countRows(file), 10);
    assert.deepEqual(readdirSync(dirname(file)), ['database.db'], 'looking adds nothing');
  });

  test('is there only once it is on the disk', async (t) => {
    const { path, file } = makePaths(t);
    makeDatabase(t, path);
    t.mock.method(realFiles, 'sync', () => {
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    });
    const backup = await backUpDatabase(path, file);
    assert.ok(!backup.ok);
    assert.deepEqual(readdirSync(dirname(file)), []);
  });

  test('leaves the database as one file too, whose log can be done without', async (t) => {
    const { path, file } = makePaths(t);
    makeDatabase(t, path);
    await backUpDatabase(path, file);
    assert.equal(statSync(`${path}-wal`).size, 0);
  });

  test('of a database that somebody writes to is a whole one', async (t) => {
    const { path, file } = makePaths(t);
    const database = makeDatabase(t, path);
    database.exec(`BEGIN IMMEDIATE; INSERT INTO t VALUES ('not committed')`);
    const backup = await backUpDatabase(path, file);
    assert.ok(backup.ok, JSON.stringify(backup));
    assert.equal(countRows(file), 10);
    database.exec('COMMIT');
    assert.equal(countRows(path), 11);
  });

  test('replaces what was there and what an earlier attempt left', async (t) => {
    const { path, file } = makePaths(t);
    makeDatabase(t, path);
    mkdirSync(dirname(file), { recursive: true });
    for (const side of ['', '.partial', '.partial-journal', '.partial-wal']) {
      writeFileSync(`${file}${side}`, 'left over');
    }
    assert.ok((await backUpDatabase(path, file)).ok);
    assert.deepEqual(readdirSync(dirname(file)), ['database.db']);
    assert.equal(countRows(file), 10);
  });

  test('of an empty database is an empty database', async (t) => {
    const { path, file } = makePaths(t);
    const opened = openDatabase(path);
    assert.ok(opened.ok);
    opened.value.close();
    const backup = await backUpDatabase(path, file);
    assert.ok(backup.ok, JSON.stringify(backup));
    assert.equal(backup.value.schema, 0);
  });

  test('of nothing is none, and makes nothing', async (t) => {
    const { path, file } = makePaths(t);
    const none = { kind: 'none', sha256: null, bytes: 0, schema: null };
    assert.deepEqual(await backUpDatabase(path, file), { ok: true, value: none });
    assert.ok(!existsSync(dirname(path)) && !existsSync(dirname(file)));
  });
});

describe('a backup that cannot be made', () => {
  test('because the database is damaged leaves no file, and says what SQLite found', async (t) => {
    const { path, file } = makePaths(t);
    makeDatabase(t, path, 5_000).pragma('wal_checkpoint(TRUNCATE)');
    const content = readFileSync(path);
    // Pages in the middle: the table or its index.
    content.fill(0x55, 8 * 4096, 12 * 4096);
    writeFileSync(path, content);
    const backup = await backUpDatabase(path, file);
    assert.ok(!backup.ok);
    assert.equal(backup.failure.code, 'UPDATE_BACKUP_FAILED');
    assert.match(backup.failure.detail, /damaged|SQLITE_CORRUPT/);
    assert.deepEqual(readdirSync(dirname(file)), []);
  });

  test('because the file is no database names it', async (t) => {
    const { path, file } = makePaths(t);
    mkdirSync(dirname(path));
    writeFileSync(path, 'no database '.repeat(1_000));
    const backup = await backUpDatabase(path, file);
    assert.ok(!backup.ok);
    assert.equal(backup.failure.code, 'UPDATE_BACKUP_FAILED');
    assert.ok(backup.failure.detail.includes(`${path}: SQLITE_NOTADB`), backup.failure.detail);
  });

  test('because its folder cannot be made says so', async (t) => {
    const { path } = makePaths(t);
    makeDatabase(t, path);
    const backup = await backUpDatabase(path, join(path, 'x/database.db'));
    assert.ok(!backup.ok);
    assert.equal(backup.failure.code, 'UPDATE_BACKUP_FAILED');
    assert.match(backup.failure.detail, /ENOTDIR|EEXIST/);
  });

  test('because there is no room for it says how much it needs', async (t) => {
    const { path, file } = makePaths(t);
    makeDatabase(t, path);
    const { default: fs } = await import('node:fs');
    const { syncBuiltinESMExports } = await import('node:module');
    t.mock.method(fs, 'statfsSync', () => ({ bavail: 10, bsize: 512 }));
    syncBuiltinESMExports();
    const backup = await backUpDatabase(path, file);
    t.mock.restoreAll();
    syncBuiltinESMExports();
    assert.ok(!backup.ok);
    assert.equal(backup.failure.code, 'UPDATE_DISK_FULL');
    assert.match(backup.failure.detail, /needs \d{7} bytes in .*, 5120 are free/);
    assert.deepEqual(readdirSync(dirname(file)), []);
  });
});
