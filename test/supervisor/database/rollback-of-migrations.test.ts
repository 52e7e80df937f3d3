import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { openStore } from '../../../app/db/store.ts';
import { parseBackupAnswer, parseInspectAnswer } from '../../../shared/contract/helper-answers.ts';
import { realBulkFiles } from '../../../shared/fs/bulk-files.ts';
import { realFiles } from '../../../shared/fs/files.ts';
import { restoreDatabase } from '../../../shared/fs/restore-database.ts';
import { findOpeners } from '../../../shared/process/find-openers.ts';
import { buildRelease } from '../../helpers/release.ts';
import { type Behaviour, NEXT_MIGRATION } from '../../helpers/release-behaviours.ts';
import { newTask } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';

const COMMITTED = NEXT_MIGRATION;
const LAST = NEXT_MIGRATION + 1;
/** Changes what is there, so that a restoration that missed it would show. */
const SPOILS = `UPDATE tasks SET summary = 'spoilt'; DELETE FROM deliveries;`;
const SLOW =
  'CREATE TABLE slow AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1000000000) SELECT sum(x) FROM n;';

/** All that a database holds, table by table, and how its tables are made. */
function dump(path: string): unknown {
  const database = new SqliteDatabase(path, { readonly: true });
  const tables = database
    .prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
    .all() as { name: string; sql: string }[];
  const content = tables.map(({ name, sql }) => [
    sql,
    database.prepare(`SELECT * FROM "${name}"`).raw().all(),
  ]);
  const version = database.pragma('user_version', { simple: true });
  database.close();
  return { content, version };
}

/** A host with a database that the sources have made, a backup of it by an old release, and a new one that breaks. */
async function makeHost(context: TestContext, ...broken: readonly Behaviour[]) {
  const folder = makeTempFolder(context);
  const state = join(folder, 'state');
  const database = join(state, 'data/pod-upgrade-trigger.db');
  const opened = openStore(database, { version: '1.0.0', nowMs: 1 });
  assert.ok(opened.ok);
  opened.value.tasks.insert(newTask());
  opened.value.close();
  const before = dump(database);
  const txn = join(state, 'data/backups/auto_update/upd_1');
  const keepIn = join(txn, 'failed');
  mkdirSync(keepIn, { recursive: true });
  const old = await buildRelease({ folder, version: '1.0.0' });
  const env = { PATH: process.env['PATH'], PODUP_STATE_DIR: state, PODUP_HTTP_ADDR: '127.0.0.1:0' };
  const ask = (...words: string[]) =>
    JSON.parse(spawnSync(old.file, words, { env, encoding: 'utf8' }).stdout);
  const file = join(txn, 'database.db');
  const backup = parseBackupAnswer(ask('db-backup', file));
  assert.ok(backup);
  const { file: next } = await buildRelease({ folder, version: '2.0.0', break: broken });
  return {
    database,
    before,
    /** Starts the new worker, as an update does. */
    startNew() {
      const child = spawn(next, ['http-server', '--trial'], {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      context.after(() => child.kill('SIGKILL'));
      return { child, exited: once(child, 'exit') };
    },
    inspect: () => parseInspectAnswer(ask('db-inspect')),
    restore: () =>
      restoreDatabase({
        database,
        backup: { ...backup, file },
        keepIn,
        files: realFiles,
        bulk: realBulkFiles,
      }),
  };
}

type Host = Awaited<ReturnType<typeof makeHost>>;

function schemaOf(database: string): unknown {
  const opened = new SqliteDatabase(database, { readonly: true });
  const schema = opened.pragma('user_version', { simple: true });
  opened.close();
  return schema;
}

/** Whether somebody is in the middle of a transaction that writes. */
function isBeingWritten(database: string): boolean {
  const opened = new SqliteDatabase(database, { timeout: 0 });
  try {
    opened.exec('BEGIN IMMEDIATE; ROLLBACK');
    return false;
  } catch {
    return true;
  } finally {
    opened.close();
  }
}

/** The old program cannot run on what the new one left; afterwards it can, on exactly what it had. */
async function assertRestores({ database, before, inspect, restore }: Host): Promise<void> {
  const found = inspect();
  assert.deepEqual([found?.compatible, found?.schema, found?.sound], [false, COMMITTED, true]);
  assert.deepEqual(findOpeners(database), []);
  assert.deepEqual(await restore(), { ok: true, value: undefined });
  assert.deepEqual(dump(database), before);
  assert.deepEqual([inspect()?.compatible, inspect()?.sound], [true, true]);
}

describe('after a rollback the old program finds exactly what it had', () => {
  test('although a migration was committed before the next one failed', async (t) => {
    const host = await makeHost(
      t,
      `migration:${COMMITTED}:must-not-run:${SPOILS}`,
      `migration:${LAST}:may-run:INSERT INTO no_such_table VALUES (1);`,
    );
    const { exited } = host.startNew();
    assert.deepEqual(await exited, [1, null]);
    await assertRestores(host);
  });

  test('although the process was killed between two migrations, and has left a log', async (t) => {
    const host = await makeHost(
      t,
      `migration:${COMMITTED}:must-not-run:${SPOILS}`,
      `migration:${LAST}:may-run:${SLOW}`,
    );
    const { child, exited } = host.startNew();
    await until('the first migration', 20_000, () => schemaOf(host.database) === COMMITTED);
    child.kill('SIGKILL');
    await exited;
    assert.ok((realFiles.facts(`${host.database}-wal`)?.bytes ?? 0) > 0, 'there is no log');
    await assertRestores(host);
  });

  test('without a restoration where the process was killed in the middle of its only migration', async (t) => {
    const host = await makeHost(t, `migration:${COMMITTED}:must-not-run:${SPOILS} ${SLOW}`);
    const { child, exited } = host.startNew();
    await until('the migration', 20_000, () => isBeingWritten(host.database));
    child.kill('SIGKILL');
    await exited;
    assert.equal(host.inspect()?.compatible, true);
    assert.deepEqual(dump(host.database), host.before);
  });
});
