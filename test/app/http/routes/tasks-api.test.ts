import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../../../app/db/store.ts';
import { formatIdentifier } from '../../../../app/domain/identifier.ts';
import { attemptOf } from '../../../helpers/attempt-of.ts';
import { askAdmin, startApp } from '../http-fixture.ts';

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

describe('tasks api: lists', () => {
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

  test('several statuses and kinds may be asked for, in either way', async (t) => {
    const { port, store } = await startApp(t);
    const ids = insertTasks(store, 6);
    store.tasks.markDispatched(ids[0] ?? '', 'child', 1);
    store.tasks.finish(attemptOf(store.tasks, ids[1] ?? ''), {
      ...{ status: 'cancelled', summary: '1', at: 1 },
    });
    const listed = async (query: string) => {
      const { json, text } = await askAdmin(port, `/api/tasks?${query}`);
      assert.ok(json['tasks'], text);
      return (json['tasks'] as { task_id: string }[]).map(({ task_id }) => task_id);
    };
    const both = [ids[1], ids[0]];
    assert.deepEqual(await listed('status=running,cancelled'), both);
    assert.deepEqual(await listed('status=cancelled&status=running'), both);
    assert.deepEqual(await listed('status=running,cancelled&kind=manual,scheduler'), []);
    assert.deepEqual(await listed('status=running,cancelled&kind=github-webhook'), both);
    assert.deepEqual(await listed('unit_query=API&status=cancelled'), [ids[1]]);
    assert.deepEqual(await listed(`q=${(ids[4] ?? '').slice(8)}`), [ids[4]]);
    const at = '2023-11-14T22:13:20.001Z';
    assert.deepEqual((await listed(`from=${at}`)).length, 3);
    assert.deepEqual(
      (await listed(`to=${encodeURIComponent('2023-11-14T23:13:20.001+01:00')}`)).length,
      3,
    );
    assert.deepEqual(await listed(`retry_of=${ids[0]}`), []);
    assert.deepEqual(await listed('batch=bat_0000000000000000000'), []);
  });

  test('a search that has looked at enough ends its page early, and the next one goes on', async (t) => {
    const { port, store } = await startApp(t);
    const [first = ''] = insertTasks(store, 1);
    const row = newest(store);
    store.transact(() => {
      for (let index = 1; index <= 30_000; index++) {
        const at = row.created_at + index;
        const id = formatIdentifier('tsk', at, Buffer.alloc(10, 1));
        store.tasks.insert({ ...row, id, created_at: at, summary: index === 7 ? 'rare' : 'x' });
      }
    });
    const page = await askAdmin(port, '/api/tasks?q=rare&limit=2');
    assert.equal((page.json['tasks'] as unknown[]).length, 1);
    const cursor = page.json['next_cursor'];
    const rest = await askAdmin(port, `/api/tasks?q=${first}&cursor=${cursor}`);
    assert.equal((rest.json['tasks'] as unknown[]).length, 1);
    assert.equal(rest.json['next_cursor'], null);
    const counts = await askAdmin(port, '/api/tasks/counts?q=web');
    assert.deepEqual([counts.json['total'], counts.json['complete']], [30_000, false]);
    const to = new Date(row.created_at + 30_000).toISOString();
    const fewer = await askAdmin(port, `/api/tasks/counts?q=web&to=${to}`);
    assert.deepEqual([fewer.json['total'], fewer.json['complete']], [30_000, true]);
  });

  test('are counted by status and by kind, under the same filters', async (t) => {
    const { port, store } = await startApp(t);
    const ids = insertTasks(store, 5);
    store.tasks.insert({ ...newest(store), id: 'tsk_zzzzzzzzzzzzzzzzzzz', kind: 'manual' });
    store.tasks.markDispatched(ids[0] ?? '', 'child', 1);
    const all = await askAdmin(port, '/api/tasks/counts');
    assert.deepEqual(all.json, {
      total: 6,
      by_status: {
        ...{ pending: 5, running: 1, succeeded: 0, failed: 0 },
        ...{ cancelled: 0, skipped: 0, unknown: 0, anomaly: 0 },
      },
      by_kind: {
        ...{ manual: 1, 'github-webhook': 5, scheduler: 0 },
        ...{ maintenance: 0, 'self-update': 0, internal: 0 },
      },
      complete: true,
    });
    const some = await askAdmin(port, '/api/tasks/counts?unit=api.service');
    assert.equal(some.json['total'], 2);
    const none = await askAdmin(port, '/api/tasks/counts?status=failed');
    assert.deepEqual([none.status, none.json['code']], [400, 'REQUEST_INVALID']);
  });

  const FAULTS: readonly [query: string, field: RegExp][] = [
    ['limit=0', /^limit: /],
    ['limit=501', /^limit: /],
    ['limit=1.5', /^limit: /],
    ['limit=many', /^limit: /],
    ['limit=', /^limit: /],
    ['limit=1&limit=2', /^limit: /],
    ['status=done', /^status: done is none of pending, /],
    ['status=', /^status: /],
    ['status=failed,', /^status: /],
    ['kind=other', /^kind: other is none of manual, /],
    ['q=', /^q: /],
    ['batch=bat_1', /^batch: /],
    ['retry_of=x', /^retry_of: /],
    ['from=yesterday', /^from: /],
    ['to=2026-01-01', /^to: /],
    ['unit_query=', /^unit_query: /],
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
});

function newest(store: Store) {
  const [task] = store.tasks.list({ limit: 1 });
  assert.ok(task);
  return task;
}

describe('tasks api: one task', () => {
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

  test('the log comes in parts, each entry once, and says where to go on', async (t) => {
    const { port, store } = await startApp(t);
    const [id = '', other = ''] = insertTasks(store, 2);
    for (let index = 0; index < 1002; index++) {
      const entry = {
        ts: index,
        level: index % 3 === 0 ? 'warning' : 'info',
        action: 'a',
      } as const;
      store.taskLogs.append({ ...entry, task_id: id, summary: `${index}`, meta: null });
      store.taskLogs.append({ ...entry, task_id: other, summary: 'other', meta: null });
    }
    const { json } = await askAdmin(port, `/api/tasks/${id}`);
    assert.deepEqual([(json['logs'] as unknown[]).length, json['warning_count']], [500, 334]);
    const seen = (json['logs'] as { summary: string }[]).map(({ summary }) => summary);
    let after = json['logs_next'];
    for (let part = 0; part < 9 && after !== null; part++) {
      const more = await askAdmin(port, `/api/tasks/${id}/logs?after=${after}&limit=251`);
      seen.push(...(more.json['logs'] as { summary: string }[]).map(({ summary }) => summary));
      after = more.json['logs_next'];
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 1002 }, (_, index) => `${index}`),
    );
    const fault = await askAdmin(port, `/api/tasks/${id}/logs?limit=501`);
    assert.deepEqual([fault.status, fault.json['code']], [400, 'REQUEST_INVALID']);
  });

  test('a part of the log is no more than some megabytes, but one entry at least', async (t) => {
    const { port, store } = await startApp(t);
    const [id = ''] = insertTasks(store, 1);
    const meta = JSON.stringify({ stdout: 'x'.repeat(3_000_000) });
    for (let index = 0; index < 3; index++)
      store.taskLogs.append({
        ...{ task_id: id, ts: 1, level: 'info', action: 'command', summary: `${index}`, meta },
      });
    const { json } = await askAdmin(port, `/api/tasks/${id}`);
    assert.equal((json['logs'] as unknown[]).length, 2);
    const rest = await askAdmin(port, `/api/tasks/${id}/logs?after=${json['logs_next']}`);
    assert.deepEqual([(rest.json['logs'] as unknown[]).length, rest.json['logs_next']], [1, null]);
  });

  test('what a person may do with it follows from its state', async (t) => {
    const { port, store } = await startApp(t);
    const [id = ''] = insertTasks(store, 1);
    const rights = async () => {
      const { json } = await askAdmin(port, `/api/tasks/${id}`);
      return [json['can_stop'], json['can_force_stop'], json['can_retry']];
    };
    assert.deepEqual(await rights(), [true, true, false]);
    store.tasks.markDispatched(id, 'child', 1);
    store.tasks.requestStop(id, 'somebody', 2);
    assert.deepEqual(await rights(), [true, true, false]);
    const { json } = await askAdmin(port, `/api/tasks/${id}`);
    const at = '1970-01-01T00:00:00.002Z';
    assert.deepEqual(json['stop'], {
      ...{ requested_at: at, requested_by: 'somebody', forced_at: null, forced_by: null },
    });
    store.tasks.finish(attemptOf(store.tasks, id), { status: 'failed', summary: '', at: 3 });
    assert.deepEqual(await rights(), [false, false, true]);
  });

  for (const id of ['tsk_0000000000000000000', 'tsk_short', 'x', '..%2f..%2fetc', "'--"]) {
    test(`a task of id ${id} is not there`, async (t) => {
      const { port } = await startApp(t);
      for (const part of ['', '/logs', '/export']) {
        const answer = await askAdmin(port, `/api/tasks/${id}${part}`);
        assert.deepEqual([answer.status, answer.json['code']], [404, 'TASK_NOT_FOUND']);
      }
    });
  }
});
