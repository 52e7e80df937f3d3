import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import type { NewEvent } from '../../../app/db/event-row.ts';
import { EventWriter } from '../../../app/events/event-writer.ts';
import { keepLog, makeFolder, openTestStore } from '../http/http-fixture.ts';

function makeEvent(index: number): NewEvent {
  return {
    request_id: `req_${index}`,
    ts: index,
    method: 'GET',
    path: '/',
    status: 200,
    action: 'test',
    code: null,
    actor: null,
    remote_address: null,
    duration_us: 1,
    task_id: null,
    meta: null,
  };
}

/** A writer over a real table, whose batches are counted. */
function startWriter(context: Parameters<typeof makeFolder>[0]) {
  const folder = makeFolder(context);
  const store = openTestStore(context, folder);
  const { lines, log } = keepLog();
  const batches: number[] = [];
  const table = {
    ...store.events,
    insertAll: (events: readonly NewEvent[]) => {
      batches.push(events.length);
      store.events.insertAll(events);
    },
  };
  const database = new SqliteDatabase(`${folder}/data/test.db`);
  context.after(() => database.close());
  const count = () => database.prepare<[], number>('SELECT count(*) FROM events').pluck().get();
  const rename = (from: string, to: string) => database.exec(`ALTER TABLE ${from} RENAME TO ${to}`);
  return { writer: new EventWriter(table, log), batches, count, rename, lines };
}

describe('event writer', () => {
  test('events of a quarter of a second are one batch, in order', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { writer, batches, count } = startWriter(t);
    for (let index = 0; index < 3; index++) writer.record(makeEvent(index));
    t.mock.timers.tick(249);
    assert.equal(count(), 0);
    t.mock.timers.tick(1);
    assert.deepEqual([count(), batches], [3, [3]]);
    writer.record(makeEvent(3));
    t.mock.timers.tick(250);
    assert.deepEqual(batches, [3, 1]);
  });

  test('many events do not wait for their turn', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { writer, batches, count } = startWriter(t);
    for (let index = 0; index < 4001; index++) writer.record(makeEvent(index));
    assert.deepEqual([count(), batches], [4000, [2000, 2000]]);
  });

  test('a flush writes all that waits, and nothing twice', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { writer, batches, count } = startWriter(t);
    writer.record(makeEvent(0));
    writer.flush();
    writer.flush();
    t.mock.timers.tick(1000);
    assert.deepEqual([count(), batches], [1, [1]]);
  });

  test('while the table fails events are kept and written with the next ones', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { writer, count, rename, lines } = startWriter(t);
    rename('events', 'elsewhere');
    writer.record(makeEvent(0));
    t.mock.timers.tick(250);
    assert.match(lines.join(''), /"msg":"writing events failed"/);
    rename('elsewhere', 'events');
    writer.record(makeEvent(1));
    t.mock.timers.tick(250);
    assert.equal(count(), 2);
  });

  test('while the table fails for long the newest are kept and the loss is told', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { writer, count, rename, lines } = startWriter(t);
    rename('events', 'elsewhere');
    for (let index = 0; index < 14_000; index++) writer.record(makeEvent(index));
    rename('elsewhere', 'events');
    writer.flush();
    assert.equal(count(), 10_000);
    const lost = lines.map((line) => Number(JSON.parse(line).lost));
    assert.equal(
      lost.reduce((sum, one) => sum + one, 0),
      4000,
    );
  });
});
