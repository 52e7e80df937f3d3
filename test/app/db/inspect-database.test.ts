import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { inspectDatabase } from '../../../app/db/inspect-database.ts';
import { type Migration, migrateDatabase } from '../../../app/db/migrate-database.ts';
import { openDatabase } from '../../../app/db/open-database.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const PROGRAM = { version: '2.0.0', nowMs: 1 };

function migration(version: number, olderProgram: 'may-run' | 'must-not-run'): Migration {
  const sql = `-- older-program: ${olderProgram}\nCREATE TABLE t${version} (a);`;
  return { version, name: `000${version}-m`, sql };
}

const FIRST = migration(1, 'must-not-run');
const GENTLE = migration(2, 'may-run');
const HARSH = migration(2, 'must-not-run');

function makeMigrated(context: TestContext, ...migrations: readonly Migration[]): string {
  const path = join(makeTempFolder(context), 'x.db');
  const opened = openDatabase(path);
  assert.ok(opened.ok);
  if (migrations.length > 0) assert.ok(migrateDatabase(opened.value, migrations, PROGRAM).ok);
  opened.value.close();
  return path;
}

describe('a program may run on a database', () => {
  for (const [title, made, schema] of [
    ['that it has migrated itself', [FIRST], 1],
    ['that a newer one has changed in a way it can bear', [FIRST, GENTLE], 2],
    ['that nobody has migrated', [], 0],
  ] as const)
    test(title, (t) => {
      const path = makeMigrated(t, ...made);
      const { detail, ...rest } = inspectDatabase(path, [FIRST]);
      assert.deepEqual(rest, { exists: true, schema, compatible: true, sound: true });
      assert.equal(detail, `${path} has schema ${schema}.`);
    });

  test('that is not there', (t) => {
    const { detail, ...rest } = inspectDatabase(join(makeTempFolder(t), 'x.db'), [FIRST]);
    assert.deepEqual(rest, { exists: false, schema: null, compatible: true, sound: true });
    assert.match(detail, /no database/);
  });

  test('that is older than it, which is not migrated by looking', (t) => {
    const path = makeMigrated(t, FIRST);
    const before = readFileSync(path);
    const { schema, compatible } = inspectDatabase(path, [FIRST, HARSH]);
    assert.deepEqual([schema, compatible], [1, true]);
    assert.deepEqual(readFileSync(path), before);
  });
});

test('a program may not run on a database that a newer one has forbidden to it', (t) => {
  const path = makeMigrated(t, FIRST, HARSH);
  const { detail, ...rest } = inspectDatabase(path, [FIRST]);
  assert.deepEqual(rest, { exists: true, schema: 2, compatible: false, sound: true });
  assert.match(detail, /forbidden to this program\. Migration 0002-m of version 2\.0\.0/);
});

test('what a killed process has committed to the log counts, and the file is not changed', (t) => {
  const folder = makeTempFolder(t);
  const opened = openDatabase(join(folder, 'live.db'));
  assert.ok(opened.ok);
  t.after(() => opened.value.close());
  assert.ok(migrateDatabase(opened.value, [FIRST], PROGRAM).ok);
  opened.value.pragma('wal_checkpoint(TRUNCATE)');
  assert.ok(migrateDatabase(opened.value, [FIRST, HARSH], PROGRAM).ok);
  const path = join(folder, 'hot.db');
  for (const side of ['', '-wal']) copyFileSync(join(folder, `live.db${side}`), `${path}${side}`);
  const before = ['', '-wal'].map((side) => readFileSync(`${path}${side}`));
  const { schema, compatible, sound } = inspectDatabase(path, [FIRST]);
  assert.deepEqual([schema, compatible, sound], [2, false, true]);
  assert.deepEqual(
    ['', '-wal'].map((side) => readFileSync(`${path}${side}`)),
    before,
  );
});

test('a damaged database is told from a sound one', (t) => {
  const path = makeMigrated(t, FIRST);
  const content = readFileSync(path);
  content.fill(0x55, 4096, 3 * 4096);
  writeFileSync(path, content);
  const { exists, sound, detail } = inspectDatabase(path, [FIRST]);
  assert.deepEqual([exists, sound], [true, false]);
  assert.match(detail, /damaged|SQLITE_CORRUPT/);
});

test('a file that is no database is neither sound nor fit', (t) => {
  const path = join(makeTempFolder(t), 'x.db');
  writeFileSync(path, 'no database '.repeat(1_000));
  const { detail, ...rest } = inspectDatabase(path, [FIRST]);
  assert.deepEqual(rest, { exists: true, schema: null, compatible: false, sound: false });
  assert.match(detail, /SQLITE_NOTADB/);
});
