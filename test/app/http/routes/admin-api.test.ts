import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../../../app/db/store.ts';
import { formatIdentifier } from '../../../../app/domain/identifier.ts';
import { attemptOf } from '../../../helpers/attempt-of.ts';
import { ask, askAdmin, startApp } from '../http-fixture.ts';

const UNITS = ['web.service', 'api.service'];

/** Tasks of which several share their millisecond. */
function insertTasks(store: Store, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const at = 1_700_000_000_000 + Math.floor(index / 3);
    const id = formatIdentifier('tsk', at, Buffer.alloc(10, index));
    store.tasks.insert({
      id,
      kind: 'github-webhook',
      unit: UNITS[index % 2] ?? '',
      image: null,
      created_at: at,
      summary: `${index}`,
      trigger_source: 'webhook',
      trigger_request_id: null,
      trigger_path: null,
      trigger_caller: null,
      webhook_digest: null,
    });
    return id;
  });
}

function insertEvents(store: Store, count: number): void {
  store.events.insertAll(
    Array.from({ length: count }, (_, index) => ({
      request_id: `req_${index}`,
      ts: 1_700_000_000_000,
      method: 'GET',
      path: '/',
      status: 200,
      action: index % 2 === 0 ? 'even' : 'odd',
      code: null,
      actor: null,
      remote_address: null,
      duration_us: 1500,
      task_id: null,
      meta: index === 4 ? '{"a":1}' : null,
    })),
  );
}

/** Follows the cursors to the end. */
async function readAll(port: number, path: string, key: 'tasks' | 'events') {
  const pages: Record<string, unknown>[][] = [];
  let cursor: unknown = '';
  while (cursor !== null) {
    const next = cursor === '' ? '' : `&cursor=${cursor}`;
    const { status, json, text } = await askAdmin(port, path + next);
    assert.equal(status, 200, text);
    pages.push(json[key] as Record<string, unknown>[]);
    cursor = json['next_cursor'];
  }
  return pages;
}

describe('admin api: lists', () => {
  for (const limit of [1, 2, 3, 7, 11, 12]) {
    test(`tasks in pages of ${limit}: all of them, newest first, none twice`, async (t) => {
      const { port, store } = await startApp(t);
      const ids = insertTasks(store, 11);
      const pages = await readAll(port, `/api/tasks?limit=${limit}`, 'tasks');
      assert.equal(pages.length, Math.ceil(11 / limit));
      assert.deepEqual(
        pages.flat().map((task) => task['task_id']),
        ids.sort().reverse(),
      );
    });
  }

  test('a task that is made between two pages shifts nothing', async (t) => {
    const { port, store } = await startApp(t);
    const ids = insertTasks(store, 4);
    const first = await askAdmin(port, '/api/tasks?limit=2');
    store.tasks.insert({
      ...newest(store),
      id: 'tsk_zzzzzzzzzzzzzzzzzzz',
      created_at: 1_800_000_000_000,
    });
    const second = await askAdmin(port, `/api/tasks?limit=2&cursor=${first.json['next_cursor']}`);
    const listed = [first, second].flatMap(({ json }) => json['tasks'] as { task_id: string }[]);
    assert.deepEqual(
      listed.map((task) => task.task_id),
      ids.sort().reverse(),
    );
  });

  test('tasks are filtered by unit and by status, over pages', async (t) => {
    const { port, store } = await startApp(t);
    const ids = insertTasks(store, 8);
    store.tasks.markDispatched(ids[0] ?? '', 'child', 1);
    store.tasks.markDispatched(ids[4] ?? '', 'child', 1);
    const path = '/api/tasks?limit=1&status=running&unit=web.service';
    const running = (await readAll(port, path, 'tasks')).flat();
    assert.deepEqual(
      running.map((task) => task['summary']),
      ['4', '0'],
    );
    assert.equal((await readAll(port, '/api/tasks?unit=none', 'tasks')).flat().length, 0);
  });

  test('events in pages: all of them, newest first, none twice; filters hold over pages', async (t) => {
    const { port, store } = await startApp(t);
    insertEvents(store, 7);
    const odd = await readAll(port, '/api/events?limit=2&action=odd', 'events');
    assert.deepEqual(
      odd.map((page) => page.map((event) => event['request_id'])),
      [['req_5', 'req_3'], ['req_1']],
    );
    const one = (await readAll(port, '/api/events?request_id=req_4', 'events')).flat();
    assert.deepEqual(
      one.map(({ id: _, ...rest }) => rest),
      [
        {
          request_id: 'req_4',
          ts: '2023-11-14T22:13:20.000Z',
          method: 'GET',
          path: '/',
          status: 200,
          action: 'even',
          code: null,
          actor: null,
          remote_address: null,
          duration_ms: 1.5,
          task_id: null,
          meta: { a: 1 },
        },
      ],
    );
  });

  test('what has just happened is listed although its batch was not written yet', async (t) => {
    const { port } = await startApp(t);
    const missing = await ask(port, { path: '/nowhere' });
    const listed = await askAdmin(port, '/api/events?limit=1');
    const [event] = listed.json['events'] as { request_id: string }[];
    assert.equal(event?.request_id, missing.json['request_id']);
  });

  const FAULTS: readonly [query: string, field: RegExp][] = [
    ['limit=0', /^limit: /],
    ['limit=501', /^limit: /],
    ['limit=1.5', /^limit: /],
    ['limit=many', /^limit: /],
    ['limit=', /^limit: /],
    ['limit=1&limit=2', /^limit: /],
    ['status=done', /^status: /],
    ['unit=', /^unit: /],
    [`unit=${'u'.repeat(201)}`, /^unit: /],
    ['cursor=1', /^cursor: /],
    ['cursor=1.tsk_x', /^cursor: /],
    ["cursor=1.tsk_'%20OR%201=1--------", /^cursor: /],
    ['page=2', /page/],
  ];
  for (const [query, field] of FAULTS) {
    test(`tasks with ${query.slice(0, 40)} are refused, and the field is named`, async (t) => {
      const { port } = await startApp(t);
      const answer = await askAdmin(port, `/api/tasks?${query}`);
      assert.deepEqual([answer.status, answer.json['code']], [400, 'REQUEST_INVALID']);
      assert.match(String(answer.json['detail']), field);
    });
  }

  for (const cursor of ['0', '-1', 'x', '1.5', '99999999999999999999']) {
    test(`events with cursor ${cursor} are refused`, async (t) => {
      const { port } = await startApp(t);
      const answer = await askAdmin(port, `/api/events?cursor=${cursor}`);
      assert.deepEqual([answer.status, answer.json['code']], [400, 'REQUEST_INVALID']);
      assert.match(String(answer.json['detail']), /^cursor: /);
    });
  }
});

function newest(store: Store) {
  const [task] = store.tasks.list({ limit: 1 });
  assert.ok(task);
  return task;
}

describe('admin api: one task', () => {
  test('a task is shown with its error, its digests, its deliveries and its log', async (t) => {
    const { port, store } = await startApp(t);
    const [id = ''] = insertTasks(store, 1);
    store.tasks.markDispatched(id, 'child', 1_700_000_000_100);
    store.tasks.claim(attemptOf(store.tasks, id), 1_700_000_000_200);
    store.tasks.setEvidence(
      attemptOf(store.tasks, id),
      { registry_digest: 'sha256:aa', running_image: 'none' },
      1,
    );
    const entry = {
      task_id: id,
      ts: 1_700_000_000_300,
      level: 'warning',
      action: 'command',
    } as const;
    store.taskLogs.append({ ...entry, summary: 'podman pull', meta: '{"code":125}' });
    store.taskLogs.append({ ...entry, summary: 'nothing more', meta: null });
    store.tasks.finish(attemptOf(store.tasks, id), {
      status: 'failed',
      summary: 'It failed.',
      errorCode: 'PULL_FAILED',
      errorDetail: 'seen',
      at: 1_700_000_000_400,
    });
    const { json } = await askAdmin(port, `/api/tasks/${id}`);
    assert.deepEqual(json['digests'], {
      webhook: null,
      registry: 'sha256:aa',
      pulled: null,
      running: null,
    });
    assert.deepEqual(json['trigger'], {
      source: 'webhook',
      request_id: null,
      path: null,
      caller: null,
      reason: null,
    });
    assert.deepEqual(json['error'], {
      code: 'PULL_FAILED',
      sentence: 'The image could not be pulled.',
      detail: 'seen',
      hint: 'The log of the task shows what podman printed; the unit was not touched.',
    });
    const times = ['created_at', 'started_at', 'finished_at'].map((name) => json[name]);
    assert.deepEqual(times, [
      '2023-11-14T22:13:20.000Z',
      '2023-11-14T22:13:20.200Z',
      '2023-11-14T22:13:20.400Z',
    ]);
    const logs = json['logs'] as { meta: unknown; summary: string }[];
    assert.deepEqual(
      logs.map(({ meta, summary }) => [summary, meta]),
      [
        ['podman pull', { code: 125 }],
        ['nothing more', null],
      ],
    );
    assert.deepEqual(json['deliveries'], []);
  });

  for (const id of ['tsk_0000000000000000000', 'tsk_short', 'x', '..%2f..%2fetc', "'--"]) {
    test(`a task of id ${id} is not there`, async (t) => {
      const { port } = await startApp(t);
      const answer = await askAdmin(port, `/api/tasks/${id}`);
      assert.deepEqual([answer.status, answer.json['code']], [404, 'TASK_NOT_FOUND']);
    });
  }

  for (const path of ['/api/events', '/api/tasks', '/api/tasks/tsk_0000000000000000000']) {
    test(`${path} takes GET only, which a stranger is not told`, async (t) => {
      const { port } = await startApp(t);
      assert.equal((await ask(port, { method: 'POST', path })).status, 401);
      const headers = { authorization: 'Bearer zgeheim-admin-token', 'content-type': 'text/x' };
      const answer = await ask(port, { method: 'DELETE', path, headers });
      assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET']);
      assert.equal(answer.json['code'], 'METHOD_NOT_ALLOWED');
    });
  }
});
