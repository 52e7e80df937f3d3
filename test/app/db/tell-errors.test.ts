import assert from 'node:assert/strict';
import { test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { tellErrors } from '../../../app/db/tell-errors.ts';

test('each error of a statement or a transaction is told, whoever catches it, and thrown all the same', () => {
  const database = new SqliteDatabase(':memory:');
  const told: string[] = [];
  tellErrors(database, (error) => told.push((error as { code: string }).code));
  database.exec('CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT');
  const insert = database.prepare('INSERT INTO t VALUES (?)');
  const ids = database.prepare<[], number>('SELECT id FROM t').pluck();
  insert.run(1);
  assert.deepEqual([ids.get(), ids.all(), told], [1, [1], []]);
  assert.throws(() => insert.run(1), { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' });
  assert.equal(told.length, 1);
  const insertAll = database.transaction((...all: number[]) => {
    for (const id of all) insert.run(id);
    return all.length;
  });
  assert.equal(insertAll.immediate(2, 3), 2);
  assert.throws(() => insertAll.immediate(4, 1));
  assert.deepEqual(ids.all(), [1, 2, 3], 'it was rolled back');
  told.length = 0;
  // What the transaction itself comes to is told too: it cannot begin twice.
  database.exec('BEGIN');
  assert.throws(() => database.prepare('BEGIN').run());
  database.exec('ROLLBACK');
  assert.deepEqual(told, ['SQLITE_ERROR']);
  database.close();
});
