import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { someEvent } from '../../helpers/events.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const NOW = 100_000;

/** A log in which the n-th row happened in the n-th millisecond. */
function makeLog(context: TestContext, count: number) {
  const { store, path } = openTestStore(context, makeTempFolder(context));
  store.events.insertAll(Array.from({ length: count }, (_, at) => someEvent({ ts: at + 1 })));
  const other = new SqliteDatabase(path);
  context.after(() => other.close());
  const ids = () =>
    other
      .prepare<[], { low: number; high: number; count: number }>(
        'SELECT min(id) AS low, max(id) AS high, count(*) AS count FROM events',
      )
      .get();
  return { store, ids, other };
}

/** Keeps the rows from this millisecond on. */
const since = (ms: number) => ({ maxAgeMs: NOW - ms, maxRows: 1_000_000 });

describe('pruning events', () => {
  test('removes what is too old, and leaves a whole chain', (t) => {
    const { store, ids } = makeLog(t, 7_000);
    assert.equal(store.events.removeExpired(since(5_501), NOW, 100_000), 5_500);
    assert.deepEqual(ids(), { low: 5_501, high: 7_000, count: 1_500 });
    const { fault, verified, chain } = store.events.verify();
    assert.deepEqual([fault, verified], [null, 1_500]);
    assert.deepEqual(
      [chain?.anchorId, chain?.keptRows, chain?.removedRows, chain?.removedAt],
      [5_500, 1_500, 5_500, NOW],
    );
  });

  test('stops at its limit', (t) => {
    const { store, ids } = makeLog(t, 7_000);
    const remove = () => store.events.removeExpired(since(6_001), NOW, 4_500);
    assert.deepEqual([remove(), ids()?.low], [4_500, 4_501]);
    assert.equal(store.events.verify().fault, null);
    assert.deepEqual([remove(), remove()], [1_500, 0]);
  });

  test('removes what is too many', (t) => {
    const { store, ids } = makeLog(t, 3_000);
    const retention = { maxAgeMs: NOW, maxRows: 100 };
    assert.equal(store.events.countExpired(retention, NOW), 2_900);
    assert.equal(store.events.removeExpired(retention, NOW, 100_000), 2_900);
    assert.deepEqual(ids(), { low: 2_901, high: 3_000, count: 100 });
    assert.equal(store.events.verify().fault, null);
  });

  test('counts what would go without removing it, also where that is much', (t) => {
    const { store, ids } = makeLog(t, 25_000);
    assert.equal(store.events.countExpired(since(24_001), NOW), 24_000);
    assert.equal(store.events.countExpired({ maxAgeMs: NOW, maxRows: 5_000 }, NOW), 20_000);
    assert.equal(ids()?.count, 25_000);
  });

  test('of everything leaves a log that goes on', (t) => {
    const { store, ids } = makeLog(t, 10);
    assert.equal(store.events.removeExpired(since(90_000), NOW, 100), 10);
    assert.equal(store.events.verify().fault, null);
    store.events.insertAll([someEvent({ ts: 95_000 })]);
    assert.deepEqual(ids(), { low: 11, high: 11, count: 1 });
    assert.deepEqual([store.events.verify().fault, store.events.verify().verified], [null, 1]);
  });

  test('forgets the times of what is gone, and finds what is left by its time', (t) => {
    const { store, other } = makeLog(t, 10_000);
    store.events.removeExpired(since(9_001), NOW, 100_000);
    const blocks = other.prepare('SELECT block FROM event_blocks').pluck().all();
    assert.deepEqual(blocks, [2]);
    const found = store.events.list({ limit: 9, from: 9_001, to: 9_003 }).rows;
    assert.deepEqual(
      found.map(({ ts }) => ts),
      [9_002, 9_001],
    );
  });
});
