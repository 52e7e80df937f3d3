import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import {
  type EventFilter,
  type EventPage,
  EventPages,
  type EventQuery,
} from '../../../app/db/event-pages.ts';
import type { EventRow, NewEvent } from '../../../app/db/event-row.ts';
import { openDatabase } from '../../../app/db/open-database.ts';
import { someEvent } from '../../helpers/events.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** Few values of each, so that they meet. */
const VALUES = {
  action: ['tasks-api', 'health', 'github-webhook', 'rare'],
  status: [200, 202, 299, 300, 401, 404, 500, 503],
  method: ['GET', 'POST', 'CLI'],
  requestId: ['req_1', 'req_2', 'req_3'],
  taskId: ['tsk_1', 'tsk_2', null],
  actor: ['admin', 'github', 'uid 0', null],
  path: [
    '/',
    '/api',
    '/api/tasks',
    '/api/tasks/1',
    '/health',
    '/a%b',
    '/a_b',
    '/é',
    '/\u{10ffff}x',
  ],
} as const;

const anyEvent: fc.Arbitrary<NewEvent> = fc
  .record({
    action: fc.constantFrom(...VALUES.action),
    status: fc.constantFrom(...VALUES.status),
    method: fc.constantFrom(...VALUES.method),
    request_id: fc.constantFrom(...VALUES.requestId),
    task_id: fc.constantFrom(...VALUES.taskId),
    actor: fc.constantFrom(...VALUES.actor),
    path: fc.constantFrom(...VALUES.path),
    ts: fc.integer({ min: 0, max: 100 }),
  })
  .map(someEvent);

const CONDITIONS = {
  action: fc.constantFrom(...VALUES.action, 'none'),
  status: fc.constantFrom(...VALUES.status, 201),
  statusClass: fc.constantFrom(1, 2, 3, 4, 5),
  method: fc.constantFrom(...VALUES.method, 'PUT'),
  requestId: fc.constantFrom(...VALUES.requestId, 'req_4'),
  taskId: fc.constantFrom('tsk_1', 'tsk_2', 'tsk_3'),
  actor: fc.constantFrom('admin', 'github', 'nobody'),
  path: fc.constantFrom('/', '/a', '/api/', '/a%', '/a_', '%', '/é', '/\u{10ffff}', 'x'),
  from: fc.integer({ min: -5, max: 105 }),
  to: fc.integer({ min: -5, max: 105 }),
};

/** A few conditions at a time: with many of them hardly anything would ever fit. */
const anyFilter: fc.Arbitrary<EventFilter> = fc
  .tuple(
    fc.record(CONDITIONS),
    fc.subarray(Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[], { maxLength: 3 }),
  )
  .map(([filter, names]) => Object.fromEntries(names.map((name) => [name, filter[name]])));

/** What fits, as anybody would write it. */
function fits(row: EventRow, filter: EventFilter): boolean {
  const { from = -Infinity, to = Infinity, path = '' } = filter;
  const wanted: readonly (readonly [unknown, unknown])[] = [
    [filter.action, row.action],
    [filter.status, row.status],
    [filter.statusClass, Math.floor(row.status / 100)],
    [filter.method, row.method],
    [filter.requestId, row.request_id],
    [filter.taskId, row.task_id],
    [filter.actor, row.actor],
  ];
  return (
    wanted.every(([asked, is]) => asked === undefined || asked === is) &&
    row.path.startsWith(path) &&
    row.ts >= from &&
    row.ts < to
  );
}

type Pages = { list(query: EventQuery): EventPage };

function readAll(events: Pages, filter: EventFilter, limit: number) {
  const pages: (readonly EventRow[])[] = [];
  for (let before: number | null | undefined; before !== null; ) {
    const page = events.list({ ...filter, limit, before });
    assert.ok(page.rows.length <= limit);
    pages.push(page.rows);
    before = page.next;
  }
  return pages;
}

describe('a list of events', () => {
  test('holds what fits and nothing else, newest first, whatever is asked for', (t) => {
    const { store, path } = openTestStore(t, makeTempFolder(t));
    const { events } = store;
    const database = openDatabase(path);
    assert.ok(database.ok);
    t.after(() => database.value.close());
    // With small bounds every way to the rows is taken, and gone on from, in a log that is soon made.
    const bounds = fc.record({
      ids: fc.integer({ min: 1, max: 60 }),
      rows: fc.integer({ min: 1, max: 20 }),
    });
    let all: readonly EventRow[] = [];
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 30 }),
        anyFilter,
        fc.integer({ min: 1, max: 40 }),
        bounds,
        (added, filter, limit, bound) => {
          events.insertAll(added);
          all = readAll(events, {}, 10_000).flat();
          const expected = all.filter((row) => fits(row, filter)).map(({ id }) => id);
          const pages = new EventPages(database.value, bound);
          const bounded = { list: (query: EventQuery) => pages.find(query) };
          for (const list of [events, bounded]) {
            const found = readAll(list, filter, limit).flat();
            assert.deepEqual(
              found.map(({ id }) => id),
              expected,
            );
          }
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(all.length > 1_000);
  });

  test('says by its last page that nothing is left', (t) => {
    const { events } = openTestStore(t, makeTempFolder(t)).store;
    events.insertAll(Array.from({ length: 6 }, (_, at) => someEvent({ ts: at })));
    const [first, last] = [events.list({ limit: 4 }), events.list({ limit: 4, before: 3 })];
    assert.deepEqual([first.rows.length, first.next, first.lookedBackTo], [4, 3, 2]);
    assert.deepEqual([last.rows.length, last.next, last.lookedBackTo], [2, null, null]);
    assert.deepEqual(events.list({ limit: 9, before: 1 }), {
      rows: [],
      next: null,
      lookedBackTo: null,
    });
  });

  test('finds times where one run of ids ends and the next begins', (t) => {
    const { events } = openTestStore(t, makeTempFolder(t)).store;
    for (let at = 0; at < 20_000; at += 700) {
      events.insertAll(Array.from({ length: 700 }, (_, index) => someEvent({ ts: at + index })));
    }
    const find = (from: number, to: number) =>
      events.list({ from, to, limit: 9 }).rows.map(({ id }) => id);
    for (const border of [4_096, 8_192, 12_288, 16_384]) {
      for (let from = border - 3; from < border + 3; from++) {
        assert.deepEqual(find(from, from + 1), [from + 1]);
      }
    }
  });

  test('finds times that are out of order, to the millisecond', (t) => {
    const { events } = openTestStore(t, makeTempFolder(t)).store;
    // A clock that is set back for a while, far across the borders of what is kept of the times.
    const times = Array.from({ length: 20_000 }, (_, at) => (at === 100 ? 15_000 : at));
    times[19_000] = 7;
    for (let at = 0; at < times.length; at += 700) {
      events.insertAll(times.slice(at, at + 700).map((ts) => someEvent({ ts })));
    }
    const find = (from: number, to: number) =>
      readAll(events, { from, to }, 500)
        .flat()
        .map(({ id }) => id);
    assert.deepEqual(find(15_000, 15_001), [15_001, 101]);
    assert.deepEqual(find(7, 8), [19_001, 8]);
    assert.deepEqual(find(20_000, 30_000), []);
  });
});

/** More rows than one page looks at: `common` everywhere, `rare` once, at the very beginning. */
function makeLong(context: TestContext) {
  const { events } = openTestStore(context, makeTempFolder(context)).store;
  const total = 50_000;
  events.insertAll([someEvent({ action: 'rare', method: 'POST', path: '/rare', status: 500 })]);
  for (let made = 1; made < total; made += 1_000) {
    events.insertAll(
      Array.from({ length: Math.min(1_000, total - made) }, (_, at) =>
        someEvent({
          ts: made + at,
          action: at % 2 === 0 ? 'even' : 'odd',
          method: at % 2 === 0 ? 'GET' : 'POST',
        }),
      ),
    );
  }
  return events;
}

describe('a page', () => {
  test('looks at a bounded number of rows, says how far back, and is gone on from', (t) => {
    const events = makeLong(t);
    const never = { action: 'even', method: 'POST' };
    const common = events.list({ ...never, path: '/api', limit: 50 });
    assert.ok(common.next !== null && common.next > 1);
    const page = events.list({ ...never, limit: 50 });
    assert.deepEqual(page.rows, []);
    assert.ok(page.next !== null && page.next > 1 && page.next < 50_000);
    assert.equal(page.lookedBackTo, page.next - 1);
    const pages = readAll(events, never, 50);
    assert.deepEqual(pages.flat(), []);
    assert.ok(pages.length >= 3 && pages.length < 10, `${pages.length} pages`);
  });

  for (const filter of [
    { action: 'rare' },
    { status: 500 },
    { statusClass: 5 },
    { path: '/rare' },
    { action: 'rare', method: 'POST' },
    { method: 'POST', status: 500 },
    { path: '/ra', actor: 'admin' },
  ]) {
    test(`finds the one row that fits ${JSON.stringify(filter)} at once`, (t) => {
      const page = makeLong(t).list({ ...filter, limit: 50 });
      assert.deepEqual([page.rows.map(({ id }) => id), page.next], [[1], null]);
    });
  }
});
