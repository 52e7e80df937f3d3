import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { openTables } from '../../../app/db/open-tables.ts';
import { openStore } from '../../../app/db/store.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const PROGRAM = { version: '0.0.0-test', nowMs: 1_000 };

describe('tables', () => {
  test('are opened at once, or, where it is not needed, once it is asked for and never again', () => {
    const opened: string[] = [];
    const open = (name: string) => () => {
      opened.push(name);
      return { name };
    };
    const openers = { first: open('first'), second: open('second'), third: open('third') };
    const all = openTables(openers);
    assert.deepEqual(opened, ['first', 'second', 'third']);
    assert.equal(all.second.name, 'second');

    opened.length = 0;
    const tables = openTables(openers, ['third']);
    assert.deepEqual(opened, ['third']);
    const { second } = tables;
    assert.equal(tables.second, second);
    assert.deepEqual(opened, ['third', 'second']);
    assert.deepEqual(Object.keys(tables), ['first', 'second', 'third']);
  });

  test('one that cannot be opened is tried again', () => {
    let isThere = false;
    const open = () => {
      if (!isThere) throw new Error('no such table');
      return 'there';
    };
    const tables = openTables({ open }, []);
    assert.throws(() => tables.open, /no such table/);
    isThere = true;
    assert.equal(tables.open, 'there');
  });
});

test('a store of a few tables serves as any other, and minds none that it does not need', (t) => {
  const folder = makeTempFolder(t);
  const { store, path } = openTestStore(t, folder);
  store.tasks.insert(newTask({ id: 'tsk_7' }));
  const other = new SqliteDatabase(join(folder, 'data/test.db'));
  other.exec('DROP TABLE plans');
  other.close();

  const whole = openStore(path, PROGRAM);
  assert.equal(whole.ok ? '' : whole.failure.code, 'DATABASE_DAMAGED');
  const needing = openStore(path, PROGRAM, { needed: ['tasks', 'plans'] });
  assert.equal(needing.ok ? '' : needing.failure.code, 'DATABASE_DAMAGED');
  const opened = openStore(path, PROGRAM, { needed: ['tasks'] });
  assert.ok(opened.ok);
  t.after(() => opened.value.close());
  assert.equal(opened.value.tasks.find('tsk_7')?.unit, 'web.service');
  assert.deepEqual(opened.value.settled, store.settled);
  assert.throws(() => opened.value.plans, /no such table: plans/);
});
