import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { openStore, type Store } from '../../../app/db/store.ts';
import { PRUNED, type PruneCounts, type Retention } from '../../../app/domain/retention.ts';
import { countPrunable, pruneState } from '../../../app/maintenance/prune-state.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const DAY_MS = 86_400_000;
const NOW = 1_000_000;
/** Everything from before 900,000 is old. */
const RETENTION: Retention = {
  ...{ taskMaxAgeMs: 100_000, deliveryMaxAgeMs: 100_000 },
  events: { maxAgeMs: 100_000, maxRows: 1_000_000 },
  shortMaxAgeMs: 100_000,
};
const OLD = 800_000;
const YOUNG = 950_000;
const NONE = Object.fromEntries(PRUNED.map((what) => [what, 0])) as PruneCounts;

function open(context: TestContext) {
  const folder = makeTempFolder(context);
  const { store, path } = openTestStore(context, folder);
  const paths = statePaths(folder);
  const database = new SqliteDatabase(path);
  context.after(() => database.close());
  const ids = (table = 'tasks') =>
    database.prepare<[], string>(`SELECT id FROM ${table} ORDER BY id`).pluck().all();
  const prune = (signal = new AbortController().signal, pause = () => Promise.resolve()) =>
    pruneState({ store, paths }, RETENTION, NOW, { signal, pause });
  return { store, paths, path, database, ids, prune };
}

/** A task that ended at `at`, with an entry in its log. */
function endTask(
  store: Store,
  id: string,
  at: number,
  over: { unit?: string; status?: 'failed' | 'succeeded' } = {},
) {
  store.tasks.insert(newTask({ id, created_at: at, unit: over.unit ?? 'web.service' }));
  store.tasks.markDispatched(id, 'child', at);
  store.tasks.claim({ id, attempts: 1 }, at);
  const entry = {
    task_id: id,
    ts: at,
    level: 'info',
    action: 'a',
    summary: 's',
    meta: null,
  } as const;
  store.taskLogs.append(entry);
  const { status = 'failed' } = over;
  store.tasks.finish({ id, attempts: 1 }, { status, summary: 'x', at });
}

describe('prune', () => {
  test('of each unit the last ten tasks stay, and what is young', async (t) => {
    const { store, paths, ids, prune, database } = open(t);
    for (let at = 10; at < 25; at++) endTask(store, `tsk_${at}`, OLD + at);
    for (let at = 30; at < 33; at++) endTask(store, `tsk_${at}`, OLD + at, { unit: 'b.service' });
    endTask(store, 'tsk_99', YOUNG);
    assert.equal(countPrunable({ store, paths }, RETENTION, NOW).tasks, 6);
    assert.equal(ids().length, 19);
    const { removed, isCut } = await prune();
    assert.deepEqual([removed, isCut], [{ ...NONE, tasks: 6 }, false]);
    assert.deepEqual(ids().slice(0, 2), ['tsk_16', 'tsk_17']);
    assert.equal(ids().length, 13);
    const logs = database.prepare('SELECT count(*) FROM task_logs').pluck().get();
    assert.equal(logs, 13, 'the logs went with their tasks');
    assert.deepEqual((await prune()).removed, NONE);
  });

  test('the last success of a unit stays, for it says what its tag means', async (t) => {
    const { store, ids, prune } = open(t);
    endTask(store, 'tsk_01', OLD, { status: 'succeeded' });
    endTask(store, 'tsk_02', OLD + 1, { status: 'succeeded' });
    for (let at = 10; at < 30; at++) endTask(store, `tsk_${at}`, OLD + at);
    await prune();
    assert.deepEqual(ids().slice(0, 2), ['tsk_02', 'tsk_20']);
  });

  test('so does the last success at all, for it says what is proven of what runs', async (t) => {
    const { store, ids, prune } = open(t);
    endTask(store, 'tsk_01', OLD, { status: 'succeeded' });
    store.tasks.insert({ ...newTask({ id: 'tsk_02', created_at: OLD + 1 }), wanted: ':1.4' });
    store.tasks.finish(
      { id: 'tsk_02', attempts: 0 },
      { status: 'succeeded', summary: '', at: OLD },
    );
    for (let at = 10; at < 30; at++) endTask(store, `tsk_${at}`, OLD + at);
    await prune();
    assert.deepEqual(ids().slice(0, 3), ['tsk_01', 'tsk_02', 'tsk_20']);
  });

  test('of maintenance the last of each kind stays, for by it is known when it is due', async (t) => {
    const { store, ids, prune } = open(t);
    const end = (id: string, at: number, maintenance: 'prune' | 'backup') => {
      const unit = 'pod-upgrade-trigger';
      store.tasks.insert({
        ...newTask({ id, created_at: at, unit }),
        kind: 'maintenance',
        maintenance,
      });
      store.tasks.finish({ id, attempts: 0 }, { status: 'failed', summary: '', at });
    };
    end('tsk_01', OLD, 'backup');
    end('tsk_02', OLD + 1, 'backup');
    for (let at = 10; at < 30; at++) end(`tsk_${at}`, OLD + at, 'prune');
    await prune();
    assert.deepEqual(ids().slice(0, 2), ['tsk_02', 'tsk_20']);
  });

  test('what is open, and what a unit may still be brought back by, stays', async (t) => {
    const { store, ids, prune, database } = open(t);
    store.tasks.insert(newTask({ id: 'tsk_01', created_at: OLD }));
    endTask(store, 'tsk_02', OLD);
    for (let at = 10; at < 30; at++) endTask(store, `tsk_${at}`, YOUNG + at);
    database.exec(`INSERT INTO deployments (task_id, unit, image, wanted_digest, dependents, stage, updated_at)
      VALUES ('tsk_02', 'web.service', 'i', 'sha256:1', '[]', 'back', 1)`);
    await prune();
    assert.deepEqual(ids().slice(0, 2), ['tsk_01', 'tsk_02']);
    database.exec(`UPDATE deployments SET stage = 'ended'`);
    await prune();
    assert.deepEqual(ids().slice(0, 2), ['tsk_01', 'tsk_10']);
  });

  test('deliveries go but for those of open tasks', async (t) => {
    const { store, ids, prune, database } = open(t);
    store.tasks.insert(newTask({ id: 'tsk_01', created_at: OLD }));
    const insert =
      database.prepare(`INSERT INTO deliveries (id, received_at, source, event, path, unit, verdict,
      body_sha256, body_bytes, task_id) VALUES (?, ?, 'github', 'package', '/', 'web.service', 'accepted', 'x', 1, ?)`);
    insert.run('dlv_open', OLD, 'tsk_01');
    insert.run('dlv_old', OLD, null);
    insert.run('dlv_young', YOUNG, null);
    assert.equal((await prune()).removed.deliveries, 1);
    assert.deepEqual(ids('deliveries'), ['dlv_open', 'dlv_young']);
  });

  test('of the quarantine what has expired goes, never what holds or has a guard', async (t) => {
    const { store, prune, database } = open(t);
    const add = (digest: string, expires_at: number | null) =>
      store.quarantine.add({
        ...{ unit: 'web.service', digest, image: 'i', image_id: null, at: 5, expires_at },
        ...{ code: 'GATE_PROBE_FAILED', detail: '' },
      });
    add('held', null);
    add('expired', OLD);
    add('just-expired', YOUNG);
    add('guarded', OLD);
    database.exec(`UPDATE quarantined_images SET guard = '/x' WHERE digest = 'guarded'`);
    assert.equal((await prune()).removed.quarantined_images, 1);
    const left = database.prepare('SELECT digest FROM quarantined_images ORDER BY 1').pluck().all();
    assert.deepEqual(left, ['guarded', 'held', 'just-expired']);
  });

  test('sightings, plans and events go when they are old', async (t) => {
    const { store, paths, prune, database } = open(t);
    database.exec(
      `INSERT INTO image_sightings VALUES ('a', 'x', ${NOW - 401 * DAY_MS}), ('a', 'y', ${OLD})`,
    );
    database.exec(
      `INSERT INTO plans VALUES ('pln_1', 'a', '{}', 1, ${NOW - 1}), ('pln_2', 'a', '{}', 1, ${NOW + 1})`,
    );
    const event = (ts: number) => ({
      ...{ request_id: 'r', ts, method: 'GET', path: '/', status: 200, action: 'x', code: null },
      ...{ actor: null, remote_address: null, duration_us: 1, meta: null, task_id: null },
    });
    store.events.insertAll([event(OLD), event(YOUNG)]);
    assert.deepEqual(countPrunable({ store, paths }, RETENTION, NOW), {
      ...NONE,
      ...{ image_sightings: 1, plans: 1, events: 1 },
    });
    const { removed } = await prune();
    assert.deepEqual(removed, { ...NONE, image_sightings: 1, plans: 1, events: 1 });
  });

  test('others have their turn between the batches, and a stop ends it there', async (t) => {
    const { store, paths, database, ids } = open(t);
    const insert = database.prepare(`INSERT INTO plans VALUES (?, 'a', '{}', 1, 1)`);
    database.transaction(() => {
      for (let at = 0; at < 2_500; at++) insert.run(`pln_${at}`);
    })();
    const stop = new AbortController();
    let turns = 0;
    const pause = (ms: number) => {
      assert.ok(ms >= 20, 'they have time to come');
      // Somebody else writes, which a transaction that is open would not let it.
      database.exec(`INSERT INTO image_sightings VALUES ('turn', '${turns++}', ${NOW})`);
      if (ids('plans').length === 1_500) stop.abort();
      return Promise.resolve();
    };
    const { removed, isCut, freedBytes } = await pruneState({ store, paths }, RETENTION, NOW, {
      ...{ signal: stop.signal, pause },
    });
    assert.deepEqual([removed.plans, isCut, freedBytes], [1_000, true, 0]);
    assert.equal(ids('plans').length, 1_500);
  });
});

describe('the file', () => {
  const fill = (database: SqliteDatabase.Database) => {
    const insert = database.prepare(`INSERT INTO plans VALUES (?, 'a', ?, 1, 1)`);
    database.transaction(() => {
      for (let at = 0; at < 500; at++) insert.run(`pln_${at}`, 'x'.repeat(10_000));
    })();
    database.pragma('wal_checkpoint(TRUNCATE)');
  };

  test('shrinks when its rows have gone', async (t) => {
    const { path, database, prune } = open(t);
    fill(database);
    const full = statSync(path).size;
    const { removed, freedBytes } = await prune();
    assert.equal(removed.plans, 500);
    const left = statSync(path).size;
    assert.ok(left < full / 10, `${left} of ${full}`);
    assert.equal(freedBytes, full - left);
    assert.equal(statSync(`${path}-wal`).size, 0);
  });

  test('of a database from before it could shrink does so all the same', async (t) => {
    const path = join(makeTempFolder(t), 'old.db');
    const database = new SqliteDatabase(path);
    t.after(() => database.close());
    database.exec('CREATE TABLE older (x TEXT)');
    const opened = openStore(path, { version: '1.0.0', nowMs: 1 });
    assert.ok(opened.ok);
    t.after(() => opened.value.close());
    fill(database);
    const full = statSync(path).size;
    assert.equal(database.pragma('auto_vacuum', { simple: true }), 0);
    const { signal } = new AbortController();
    const pause = () => Promise.resolve();
    const { freedBytes } = await pruneState(
      { store: opened.value, paths: statePaths(join(path, '..')) },
      RETENTION,
      NOW,
      { signal, pause },
    );
    assert.ok(statSync(path).size < full / 10);
    assert.ok(freedBytes > full / 2);
    const again = new SqliteDatabase(path);
    t.after(() => again.close());
    assert.equal(again.pragma('auto_vacuum', { simple: true }), 2);
  });
});
