import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { MIGRATIONS } from '../../../app/db/generated-migrations.ts';
import { type Migration, migrateDatabase } from '../../../app/db/migrate-database.ts';
import { type Database, openDatabase } from '../../../app/db/open-database.ts';
import { openStore } from '../../../app/db/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const PROGRAM = { version: '1.0.0', nowMs: 42 };
const CRASH_IN_MIGRATION = join(import.meta.dirname, '../../fixtures/crash-in-migration.ts');
const OPEN_STORE = join(import.meta.dirname, '../../fixtures/open-store.ts');

function open(context: TestContext, path = join(makeTempFolder(context), 'x.db')): Database {
  const opened = openDatabase(path);
  assert.ok(opened.ok);
  context.after(() => opened.value.close());
  return opened.value;
}

function migration(version: number, sql: string, olderProgram = 'must-not-run'): Migration {
  return { version, name: `000${version}-m`, sql: `-- older-program: ${olderProgram}\n${sql}` };
}

const FIRST = migration(1, 'CREATE TABLE one (a); INSERT INTO one VALUES (1);');
const SECOND = migration(2, 'CREATE TABLE two (a);', 'may-run');

function tables(database: Database): unknown[] {
  return database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
    .pluck()
    .all();
}

describe('migrateDatabase', () => {
  test('applies what is missing, each once, and says the version', (t) => {
    const database = open(t);
    assert.deepEqual(migrateDatabase(database, [FIRST], PROGRAM), { ok: true, value: 1 });
    assert.deepEqual(migrateDatabase(database, [FIRST, SECOND], PROGRAM), { ok: true, value: 2 });
    assert.deepEqual(migrateDatabase(database, [FIRST, SECOND], PROGRAM), { ok: true, value: 2 });
    assert.deepEqual(tables(database), ['one', 'schema_migrations', 'two']);
    assert.equal(database.prepare('SELECT count(*) FROM one').pluck().get(), 1);
  });

  test('records what was applied, by which program and when', (t) => {
    const database = open(t);
    migrateDatabase(database, [FIRST], PROGRAM);
    migrateDatabase(database, [FIRST, SECOND], { version: '2.0.0', nowMs: 43 });
    const rows = database
      .prepare(
        'SELECT version, name, older_program, program_version, applied_at FROM schema_migrations',
      )
      .raw()
      .all();
    assert.deepEqual(rows, [
      [1, '0001-m', 'must-not-run', '1.0.0', 42],
      [2, '0002-m', 'may-run', '2.0.0', 43],
    ]);
  });

  test('a migration that fails half-way leaves nothing of itself, and the earlier ones whole', (t) => {
    const database = open(t);
    const broken = migration(2, 'CREATE TABLE two (a); INSERT INTO nowhere VALUES (1);');
    const outcome = migrateDatabase(database, [FIRST, broken], PROGRAM);
    assert.ok(!outcome.ok);
    assert.equal(outcome.failure.code, 'DATABASE_UNAVAILABLE');
    assert.match(outcome.failure.detail, /no such table: nowhere/);
    assert.deepEqual(tables(database), ['one', 'schema_migrations']);
    assert.deepEqual(migrateDatabase(database, [FIRST, SECOND], PROGRAM), { ok: true, value: 2 });
  });

  test('a process that is killed in the middle of a migration leaves nothing of it', async (t) => {
    const path = join(makeTempFolder(t), 'x.db');
    const child = spawn(process.execPath, [CRASH_IN_MIGRATION, path], { stdio: 'inherit' });
    const [, signal] = await once(child, 'exit');
    assert.equal(signal, 'SIGKILL');
    const database = open(t, path);
    assert.deepEqual(tables(database), ['one', 'schema_migrations']);
    assert.deepEqual(migrateDatabase(database, [FIRST, SECOND], PROGRAM), { ok: true, value: 2 });
  });

  test('a migration that does not say whether older programs may run is refused', (t) => {
    const database = open(t);
    const silent = { version: 1, name: '0001-silent', sql: 'CREATE TABLE one (a);' };
    const late = { version: 1, name: '0001-late', sql: `\n${FIRST.sql}` };
    for (const each of [silent, late]) {
      const outcome = migrateDatabase(database, [each], PROGRAM);
      assert.ok(!outcome.ok);
      assert.match(outcome.failure.detail, /does not say whether older programs may run/);
      assert.deepEqual(tables(database), ['schema_migrations']);
    }
  });

  test('an older program runs after a newer migration that lets it', (t) => {
    const database = open(t);
    migrateDatabase(database, [FIRST, SECOND], PROGRAM);
    assert.deepEqual(migrateDatabase(database, [FIRST], PROGRAM), { ok: true, value: 2 });
  });

  test('an older program is refused after a newer migration that forbids it', (t) => {
    const database = open(t);
    const third = migration(3, 'CREATE TABLE three (a);');
    migrateDatabase(database, [FIRST, SECOND, third], { version: '3.0.0', nowMs: 1 });
    for (const older of [[FIRST], [FIRST, SECOND]])
      assert.deepEqual(migrateDatabase(database, older, PROGRAM), {
        ok: false,
        failure: { code: 'DATABASE_SCHEMA_NEWER', detail: 'Migration 0003-m of version 3.0.0.' },
      });
  });

  test('no migrations at all is version 0', (t) => {
    assert.deepEqual(migrateDatabase(open(t), [], PROGRAM), { ok: true, value: 0 });
  });
});

test('twenty processes that open a new database at once all find it migrated, once', async (t) => {
  const path = join(makeTempFolder(t), 'data/x.db');
  const run = promisify(execFile);
  const at = String(Date.now() + 3_000);
  const started = Array.from({ length: 20 }, () => run(process.execPath, [OPEN_STORE, path, at]));
  const printed = (await Promise.all(started)).map(({ stdout }) => JSON.parse(stdout));
  assert.deepEqual(printed, Array(20).fill({ schema: MIGRATIONS.at(-1)?.version }));
  const applied = open(t, path).prepare('SELECT version FROM schema_migrations').pluck().all();
  assert.deepEqual(
    applied,
    MIGRATIONS.map(({ version }) => version),
  );
});

test('the migrations that are built in are the files of migrations/, numbered without a gap', () => {
  const folder = new URL('../../../migrations/', import.meta.url);
  const names = readdirSync(folder)
    .filter((name) => /^\d/.test(name))
    .sort();
  assert.deepEqual(
    MIGRATIONS,
    names.map((name, index) => ({
      version: index + 1,
      name: name.replace('.sql', ''),
      sql: readFileSync(new URL(name, folder), 'utf8'),
    })),
  );
});

describe('openStore', () => {
  test('opens, migrates, checks and closes', (t) => {
    const opened = openStore(join(makeTempFolder(t), 'x.db'), PROGRAM);
    assert.ok(opened.ok);
    assert.equal(opened.value.schema, MIGRATIONS.at(-1)?.version);
    assert.deepEqual(opened.value.check(), { ok: true, value: undefined });
    opened.value.close();
    const check = opened.value.check();
    assert.ok(!check.ok);
    assert.equal(check.failure.code, 'DATABASE_UNAVAILABLE');
  });

  test('refuses a database that a newer program has changed', (t) => {
    const path = join(makeTempFolder(t), 'x.db');
    const newer = migration(99, 'CREATE TABLE newer (a);');
    const database = open(t, path);
    migrateDatabase(database, [...MIGRATIONS, newer], { version: '9.0.0', nowMs: 1 });
    const opened = openStore(path, PROGRAM);
    assert.ok(!opened.ok);
    assert.equal(opened.failure.code, 'DATABASE_SCHEMA_NEWER');
  });

  test('hands on that the database cannot be opened', (t) => {
    const opened = openStore(makeTempFolder(t), PROGRAM);
    assert.ok(!opened.ok);
    assert.equal(opened.failure.code, 'DATABASE_UNAVAILABLE');
  });

  test('a transaction that throws changes nothing', (t) => {
    const opened = openStore(join(makeTempFolder(t), 'x.db'), PROGRAM);
    assert.ok(opened.ok);
    const store = opened.value;
    t.after(() => store.close());
    const act = () => {
      store.segments.setConsumed('a.spool', 7);
      throw new Error('on purpose');
    };
    assert.throws(() => store.transact(act), /on purpose/);
    assert.equal(store.segments.consumedBytes('a.spool'), 0);
  });
});

test('tasks of an older program can be done anew, but not what another program did', (t) => {
  const database = open(t);
  const index = MIGRATIONS.findIndex(({ name }) => name.endsWith('-tasks'));
  assert.ok(index > 0);
  assert.ok(migrateDatabase(database, MIGRATIONS.slice(0, index), PROGRAM).ok);
  const insert =
    database.prepare(`INSERT INTO tasks (id, kind, status, phase, unit, image, created_at, updated_at, summary,
    trigger_source, wanted) VALUES (?, ?, 'failed', 'done', 'web.service', 'i:1', 1, 1, '', '', ?)`);
  insert.run('tsk_1', 'github-webhook', null);
  insert.run('tsk_2', 'manual', ':2');
  insert.run('tsk_3', 'self-update', null);
  assert.ok(migrateDatabase(database, MIGRATIONS, PROGRAM).ok);
  assert.deepEqual(database.prepare('SELECT input FROM tasks ORDER BY id').pluck().all(), [
    '{"unit":"web.service","version":null,"image":"i:1"}',
    '{"unit":"web.service","version":":2","image":"i:1"}',
    null,
  ]);
});
