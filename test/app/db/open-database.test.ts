import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import SqliteDatabase from 'better-sqlite3';
import { describeSqliteError } from '../../../app/db/explain-database-error.ts';
import { openDatabase } from '../../../app/db/open-database.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

function open(path: string) {
  const opened = openDatabase(path);
  assert.ok(opened.ok, JSON.stringify(opened));
  return opened.value;
}

test('folder, database and its side files are readable by this user only', (t) => {
  const path = join(makeTempFolder(t), 'data/x.db');
  const database = open(path);
  t.after(() => database.close());
  database.exec('CREATE TABLE t (a)');
  assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
  for (const file of [path, `${path}-wal`, `${path}-shm`])
    assert.equal(statSync(file).mode & 0o777, 0o600, file);
});

test('the mode of a database that is there already is left as it is', (t) => {
  const path = join(makeTempFolder(t), 'x.db');
  open(path).close();
  chmodSync(path, 0o640);
  open(path).close();
  assert.equal(statSync(path).mode & 0o777, 0o640);
});

test('whoever opens a new database while another one still writes to it waits for that', async (t) => {
  const path = join(makeTempFolder(t), 'x.db');
  const turns = new Int32Array(new SharedArrayBuffer(8));
  const writer = new Worker(WRITER, { eval: true, workerData: { path, turns } });
  t.after(() => writer.terminate());
  Atomics.wait(turns, 0, 0, 10_000);
  const database = open(path);
  t.after(() => database.close());
  assert.equal(turns[1], 1, 'it has ended before');
  assert.equal(database.prepare('SELECT count(*) FROM t').pluck().get(), 1);
});

/** Writes for a while in the mode that SQLite begins with: says when it has begun, and that it is about to end. */
const WRITER = `
  const { workerData: { path, turns } } = require('node:worker_threads');
  const database = new (require('better-sqlite3'))(path);
  database.exec('CREATE TABLE t (a); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)');
  Atomics.store(turns, 0, 1);
  Atomics.notify(turns, 0);
  Atomics.wait(turns, 1, 0, 300);
  Atomics.store(turns, 1, 1);
  database.exec('COMMIT');
  database.close();
`;

test('commits are synced, foreign keys hold, and the journal is a write-ahead log', (t) => {
  const database = open(join(makeTempFolder(t), 'x.db'));
  t.after(() => database.close());
  const pragma = (name: string) => database.pragma(name, { simple: true });
  assert.deepEqual(['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout'].map(pragma), [
    'wal',
    2,
    1,
    5_000,
  ]);
});

test('a file that is no database is a failure that names it', (t) => {
  const path = join(makeTempFolder(t), 'x.db');
  writeFileSync(path, 'this is no database, although it is long enough to be one'.repeat(100));
  const opened = openDatabase(path);
  assert.ok(!opened.ok);
  assert.equal(opened.failure.code, 'DATABASE_DAMAGED');
  assert.ok(opened.failure.detail.startsWith(`${path}: SQLITE_NOTADB`), opened.failure.detail);
});

test('a folder in place of the database is a failure', (t) => {
  const path = join(makeTempFolder(t), 'x.db');
  mkdirSync(path);
  assert.ok(!openDatabase(path).ok);
});

for (const [error, text] of [
  [{ code: 'SQLITE_BUSY', message: 'database\n is  locked' }, 'SQLITE_BUSY database is locked'],
  [{ message: 'no code' }, 'no code'],
] as const)
  test(`an error is described on one line: ${text}`, () =>
    assert.equal(describeSqliteError(error), text));

test('a new database can shrink; one that is there already is left as it is', (t) => {
  const folder = makeTempFolder(t);
  const database = open(join(folder, 'new.db'));
  t.after(() => database.close());
  database.exec('CREATE TABLE t (a)');
  assert.equal(database.pragma('auto_vacuum', { simple: true }), 2);
  const path = join(folder, 'old.db');
  const older = new SqliteDatabase(path);
  older.exec('CREATE TABLE t (a)');
  older.close();
  const again = open(path);
  t.after(() => again.close());
  assert.equal(again.pragma('auto_vacuum', { simple: true }), 0);
});
