import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import SqliteDatabase from 'better-sqlite3';
import fc from 'fast-check';
import { openEventChain } from '../../../app/db/event-chain.ts';
import { MIGRATIONS } from '../../../app/db/generated-migrations.ts';
import { migrateDatabase } from '../../../app/db/migrate-database.ts';
import { openDatabase } from '../../../app/db/open-database.ts';
import { openStore } from '../../../app/db/store.ts';
import { createEventVerifier } from '../../../app/db/verify-events.ts';
import { someEvent } from '../../helpers/events.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const INSERT_EVENTS = join(import.meta.dirname, '../../fixtures/insert-events.ts');
const HEX = 'lower(hex(hash))';
const ROWS = 20;

/** A log of twenty rows, and a connection of somebody else to its file. */
function makeLog(context: TestContext) {
  const { store, path } = openTestStore(context, makeTempFolder(context));
  for (let at = 1; at <= ROWS; at++) store.events.insertAll([someEvent({ ts: at })]);
  const other = new SqliteDatabase(path);
  context.after(() => other.close());
  return { events: store.events, other };
}

describe('a log that nobody has touched', () => {
  test('fits, and its head is the hash of the last row', (t) => {
    const { events, other } = makeLog(t);
    const head = other.prepare(`SELECT ${HEX} FROM events WHERE id = ${ROWS}`).pluck().get();
    const { fault, verified, unchained, chain } = events.verify();
    assert.deepEqual([fault, verified, unchained], [null, ROWS, 0]);
    assert.deepEqual([chain?.headId, chain?.headHash, chain?.keptRows], [ROWS, head, ROWS]);
  });

  test('fits while it is empty', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    const { fault, verified } = store.events.verify();
    assert.deepEqual([fault, verified], [null, 0]);
  });

  test('fits where it is longer than what is looked at in one go', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    for (const count of [5_000, 1, 6_000]) {
      store.events.insertAll(Array.from({ length: count }, () => someEvent()));
      assert.equal(store.events.verify().fault, null);
    }
    assert.equal(store.events.verify().verified, 11_001);
  });

  test('is hashed as the documentation says', (t) => {
    const { other } = makeLog(t);
    let previous = '0'.repeat(64);
    for (const [hash, ...columns] of other
      .prepare<[], [string, ...unknown[]]>(
        `SELECT ${HEX}, id, request_id, ts, method, path, status, action, code, actor, remote_address,
           duration_us, task_id, meta FROM events ORDER BY id`,
      )
      .raw()
      .all()) {
      const text = `${previous}\n${JSON.stringify(columns)}`;
      assert.equal(hash, createHash('sha256').update(text).digest('hex'));
      previous = hash;
    }
  });

  test('fits whatever the texts in it are', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    const broken = fc.constantFrom('\ud800', 'a\udfff', '\0', 'a\0b', '\u2028', '"', '\n');
    const any = fc.oneof(text, broken);
    fc.assert(
      fc.property(
        any,
        any,
        any,
        fc.option(any),
        fc.option(any),
        (path, action, id, actor, meta) => {
          store.events.insertAll([someEvent({ path, action, request_id: id, actor, meta })]);
          assert.equal(store.events.verify().fault, null);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a log that somebody has touched', () => {
  const ANYTHING = /./;
  const CASES: readonly [title: string, sql: string, kind: string, id: number | null, RegExp][] = [
    ['an edited row', "UPDATE events SET actor = 'nobody' WHERE id = 7", 'edited', 7, /Row 7 /],
    ['an edited time', 'UPDATE events SET ts = 8 WHERE id = 7', 'edited', 7, ANYTHING],
    ['an edited task', "UPDATE events SET task_id = 'tsk_1' WHERE id = 9", 'edited', 9, ANYTHING],
    ['an edited first row', 'UPDATE events SET status = 500 WHERE id = 1', 'edited', 1, ANYTHING],
    ['an edited last row', 'UPDATE events SET status = 500 WHERE id = 20', 'edited', 20, ANYTHING],
    ['an edited hash', 'UPDATE events SET hash = zeroblob(32) WHERE id = 7', 'edited', 7, ANYTHING],
    ['a hash taken away', 'UPDATE events SET hash = NULL WHERE id = 7', 'put-in', 7, ANYTHING],
    ['a missing row', 'DELETE FROM events WHERE id = 7', 'missing', 7, /^Row 7 is missing\.$/],
    [
      'missing rows',
      'DELETE FROM events WHERE id BETWEEN 7 AND 9',
      'missing',
      7,
      /^Rows 7 to 9 are missing\.$/,
    ],
    [
      'a row put in behind the head',
      'INSERT INTO events SELECT 21, request_id, ts, method, path, status, action, code, actor, remote_address, duration_us, meta, task_id, hash FROM events WHERE id = 20',
      'put-in',
      21,
      /behind the head, row 20/,
    ],
    [
      'two rows that have changed places',
      'UPDATE events SET id = 99 WHERE id = 7; UPDATE events SET id = 7 WHERE id = 8; UPDATE events SET id = 8 WHERE id = 99',
      'edited',
      7,
      ANYTHING,
    ],
    [
      'the end cut off',
      'DELETE FROM events WHERE id > 15',
      'cut-at-end',
      16,
      /^Rows 16 to 20 are missing at the end\.$/,
    ],
    [
      'the end cut off and a row put in behind it',
      'UPDATE events SET id = 30 WHERE id = 16; DELETE FROM events WHERE id BETWEEN 16 AND 20',
      'cut-at-end',
      16,
      /Rows 16 to 20/,
    ],
    ['everything taken away', 'DELETE FROM events', 'cut-at-end', 1, /Rows 1 to 20/],
    [
      'the beginning cut off',
      'DELETE FROM events WHERE id < 4',
      'cut-at-beginning',
      1,
      /^Rows 1 to 3 are missing at the beginning\.$/,
    ],
    [
      'the end cut off and the head set to fit',
      'DELETE FROM events WHERE id > 15; UPDATE event_chain SET head_id = 15, kept_rows = 15, head_hash = (SELECT hash FROM events WHERE id = 15)',
      'record-edited',
      null,
      /figures/,
    ],
    [
      'the beginning cut off and the anchor set to fit',
      'UPDATE event_chain SET anchor_id = 3, kept_rows = 17, removed_rows = 3, anchor_hash = (SELECT hash FROM events WHERE id = 3); DELETE FROM events WHERE id < 4',
      'record-edited',
      null,
      /figures/,
    ],
    [
      'an edited head',
      'UPDATE event_chain SET head_hash = zeroblob(32)',
      'record-edited',
      null,
      /its head does not fit row 20/,
    ],
    [
      'an edited anchor',
      "UPDATE event_chain SET anchor_hash = x'01'",
      'record-edited',
      null,
      /its beginning does not fit row 1\./,
    ],
    [
      'an edited number',
      'UPDATE event_chain SET removed_rows = 5',
      'record-edited',
      null,
      /figures/,
    ],
    ['a seal taken away', 'UPDATE event_chain SET seal = NULL', 'record-edited', null, /figures/],
    ['a record taken away', 'DELETE FROM event_chain', 'record-edited', null, /is gone/],
  ];
  for (const [title, sql, kind, id, detail] of CASES) {
    test(`shows ${title}`, (t) => {
      const { events, other } = makeLog(t);
      other.exec(sql);
      const { fault } = events.verify();
      assert.deepEqual([fault?.kind, fault?.id], [kind, id]);
      assert.match(fault?.detail ?? '', detail);
    });
  }

  test('goes on being written, and shows what is missing and what was put in', (t) => {
    const { events, other } = makeLog(t);
    other.exec('DELETE FROM events WHERE id > 18');
    events.insertAll([someEvent()]);
    assert.deepEqual(events.verify().fault, {
      kind: 'missing',
      id: 19,
      detail: 'Rows 19 to 20 are missing.',
    });
    const second = makeLog(t);
    second.other.exec(
      "INSERT INTO events (request_id, ts, method, path, status, action, duration_us) VALUES ('x', 1, 'GET', '/', 200, 'x', 1)",
    );
    second.events.insertAll([someEvent(), someEvent()]);
    const { fault, verified } = second.events.verify();
    assert.deepEqual([fault?.kind, fault?.id, verified], ['put-in', 21, 20]);
  });

  test('shows a head that is of no row, also under a seal that was made to fit', (t) => {
    const { events, other } = makeLog(t);
    const chain = events.verify().chain;
    assert.ok(chain);
    const forged = '0a'.repeat(32);
    const figures = [0, 0, chain.anchorHash, ROWS, forged, ROWS, 0, null];
    const seal = createHash('sha256').update(JSON.stringify(figures)).digest();
    other
      .prepare('UPDATE event_chain SET head_hash = ?, seal = ?')
      .run(Buffer.from(forged, 'hex'), seal);
    assert.deepEqual(events.verify().fault, {
      kind: 'record-edited',
      id: ROWS,
      detail: 'The head is not the hash of row 20.',
    });
  });

  test('shows a row that was put in where retention has removed everything', (t) => {
    const { events, other } = makeLog(t);
    events.removeExpired({ maxAgeMs: 1, maxRows: 10 }, 0, 100);
    assert.equal(events.verify().fault, null);
    other.exec(
      "INSERT INTO events (id, request_id, ts, method, path, status, action, duration_us) VALUES (4, 'x', 1, 'GET', '/', 200, 'x', 1)",
    );
    assert.deepEqual([events.verify().fault?.kind, events.verify().fault?.id], ['put-in', 4]);
  });

  test('shows that rows were put in or taken out among those that are removed since', (t) => {
    const { events, other } = makeLog(t);
    other.exec('DELETE FROM events WHERE id = 7');
    events.removeExpired({ maxAgeMs: 1, maxRows: 10 }, 0, 100);
    assert.equal(events.verify().fault?.kind, 'count-differs');
  });
});

describe('a head that was noted earlier', () => {
  test('is found while its row is kept, also as the last one that was removed', (t) => {
    const { events } = makeLog(t);
    const noted = events.verify().chain?.headHash ?? '';
    events.insertAll([someEvent(), someEvent()]);
    assert.equal(events.verify(noted).fault, null);
    events.removeExpired({ maxAgeMs: 1, maxRows: 2 }, 0, 100);
    assert.equal(events.verify(noted).fault, null);
    events.removeExpired({ maxAgeMs: 1, maxRows: 1 }, 0, 100);
    assert.equal(events.verify(noted).fault?.kind, 'head-not-found');
  });

  test('is not found in a log that was written anew', (t) => {
    const first = makeLog(t);
    const noted = first.events.verify().chain?.headHash ?? '';
    const { store } = openTestStore(t, makeTempFolder(t));
    for (let at = 1; at <= ROWS; at++) {
      store.events.insertAll([someEvent({ ts: at, actor: at === 7 ? 'nobody' : 'admin' })]);
    }
    assert.equal(store.events.verify().fault, null);
    assert.equal(store.events.verify(noted).fault?.kind, 'head-not-found');
  });
});

test('retention that removes what comes next begins the look anew', (t) => {
  const { store, path } = openTestStore(t, makeTempFolder(t));
  store.events.insertAll(Array.from({ length: 12_000 }, () => someEvent()));
  const opened = openDatabase(path);
  assert.ok(opened.ok);
  t.after(() => opened.value.close());
  const record = openEventChain(opened.value);
  let looks = 0;
  const verify = createEventVerifier(opened.value, {
    ...record,
    read() {
      looks++;
      if (looks === 2) store.events.removeExpired({ maxAgeMs: 1, maxRows: 4_000 }, 0, 10_000);
      return record.read();
    },
  });
  const { fault, verified } = verify();
  assert.deepEqual([fault, verified, looks], [null, 4_000, 2]);
});

test('rows that are older than the chain are counted, found, and followed by it', (t) => {
  const path = join(makeTempFolder(t), 'x.db');
  const database = openDatabase(path);
  assert.ok(database.ok);
  const program = { version: '1', nowMs: 1 };
  migrateDatabase(database.value, MIGRATIONS.slice(0, 3), program);
  const insert = database.value.prepare(
    "INSERT INTO events (request_id, ts, method, path, status, action, duration_us) VALUES (?, ?, 'GET', '/old', 200, 'x', 1)",
  );
  for (let at = 1; at <= 5_000; at++) insert.run(`req_${at}`, at);
  database.value.close();
  const opened = openStore(path, program);
  assert.ok(opened.ok);
  t.after(() => opened.value.close());
  const { events } = opened.value;
  events.insertAll([someEvent({ ts: 9_000 })]);
  const { fault, verified, unchained } = events.verify();
  assert.deepEqual([fault, verified, unchained], [null, 1, 5_000]);
  const found = events.list({ limit: 9, from: 4_200, to: 4_202 }).rows;
  assert.deepEqual(
    found.map(({ request_id }) => request_id),
    ['req_4201', 'req_4200'],
  );
  events.removeExpired({ maxAgeMs: 1, maxRows: 3 }, 0, 10_000);
  assert.deepEqual([events.verify().fault, events.verify().unchained], [null, 2]);
});

test('two processes that insert at once make one chain', async (t) => {
  const { store, path } = openTestStore(t, makeTempFolder(t));
  const words = [INSERT_EVENTS, path, String(Date.now() + 1_500), '100', '3'];
  await Promise.all([1, 2].map(() => promisify(execFile)(process.execPath, words)));
  const { fault, verified } = store.events.verify();
  assert.deepEqual([fault, verified], [null, 600]);
});
