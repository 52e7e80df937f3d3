import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, type TestContext, test } from 'node:test';
import type { EventPageView } from '../../../../app/api/views.ts';
import { someEvent } from '../../../helpers/events.ts';
import { until } from '../../../helpers/until.ts';
import { ask, askAdmin, defer, startApp, TOKEN } from '../http-fixture.ts';

const DAY_MS = 86_400_000;

/** Six events of six days, which differ in all that can be asked for. */
async function startFilled(context: TestContext) {
  const started = await startApp(context);
  started.store.events.insertAll([
    someEvent({ ts: 0 }),
    someEvent({
      ts: DAY_MS,
      method: 'POST',
      action: 'deployments-api',
      status: 202,
      task_id: 'tsk_1',
    }),
    someEvent({ ts: 2 * DAY_MS, status: 404, path: '/nowhere', action: 'not-found', actor: null }),
    someEvent({ ts: 3 * DAY_MS, status: 409, request_id: 'req_2' }),
    someEvent({
      ts: 4 * DAY_MS,
      method: 'CLI',
      action: 'cli-deploy',
      actor: 'uid 0',
      path: 'deploy',
    }),
    someEvent({
      ts: 5 * DAY_MS,
      method: 'SYSTEM',
      status: 500,
      action: 'task-lost',
      task_id: 'tsk_1',
    }),
  ]);
  const find = async (query: string) => {
    const { status, json, text } = await askAdmin(started.port, `/api/events?${query}`);
    assert.equal(status, 200, text);
    return json as unknown as EventPageView;
  };
  return { ...started, find };
}

describe('GET /api/events', () => {
  const QUERIES: readonly [query: string, ids: number[]][] = [
    ['action=cli-deploy', [5]],
    ['status=404', [3]],
    ['status=4xx', [4, 3]],
    ['status=2xx', [5, 2, 1]],
    ['method=SYSTEM', [6]],
    ['request_id=req_2', [4]],
    ['task_id=tsk_1', [6, 2]],
    ['actor=uid%200', [5]],
    ['path=/no', [3]],
    ['path=%25', []],
    ['from=1970-01-05', [6, 5]],
    ['to=1970-01-02', [1]],
    ['from=1970-01-02T00:00:00Z&to=1970-01-04T00:00:00.001Z', [4, 3, 2]],
    ['from=1970-01-05T01:00:00%2B01:00&to=1970-01-06', [5]],
    ['task_id=tsk_1&status=5xx&method=SYSTEM&from=1970-01-02', [6]],
    ['task_id=tsk_1&status=4xx', []],
  ];
  for (const [query, ids] of QUERIES) {
    test(`with ${query} lists what fits`, async (t) => {
      const { find } = await startFilled(t);
      // The request itself has happened by the time of the next one only.
      const found = await find(query);
      assert.deepEqual(
        found.events.map(({ id }) => id),
        ids,
      );
      assert.deepEqual([found.next_cursor, found.looked_back_to], [null, null]);
    });
  }

  test('says how far back it has looked, and goes on below its cursor', async (t) => {
    const { find } = await startFilled(t);
    const first = await find('limit=2&to=1970-01-04T12:00:00Z');
    assert.deepEqual(
      [first.events.map(({ id }) => id), first.next_cursor, first.looked_back_to],
      [[4, 3], '3', '1970-01-03T00:00:00.000Z'],
    );
    const second = await find('limit=2&to=1970-01-04T12:00:00Z&cursor=3');
    assert.deepEqual([second.events.map(({ id }) => id), second.next_cursor], [[2, 1], null]);
  });

  test('shows the task that was made, and no hash', async (t) => {
    const { find } = await startFilled(t);
    const [event] = (await find('action=deployments-api')).events;
    assert.equal(event?.task_id, 'tsk_1');
    assert.equal(event && 'hash' in event, false);
  });

  const FAULTS: readonly [query: string, field: RegExp][] = [
    ['status=4x', /^status: expected a status such as 404/],
    ['status=600', /^status: /],
    ['status=', /^status: /],
    ['from=yesterday', /^from: expected a time such as/],
    ['to=1970-02-30', /^to: /],
    ['from=1970-01-01T00:00:00', /^from: /],
    [`path=${'p'.repeat(301)}`, /^path: /],
    ['task_id=', /^task_id: /],
    ['page=2', /page/],
  ];
  for (const [query, field] of FAULTS) {
    test(`with ${query.slice(0, 30)} is refused, and the field is named`, async (t) => {
      const { port } = await startApp(t);
      const answer = await askAdmin(port, `/api/events?${query}`);
      assert.deepEqual([answer.status, answer.json['code']], [400, 'REQUEST_INVALID']);
      assert.match(String(answer.json['detail']), field);
    });
  }
});

/** Begins an export and reads nothing of it. */
async function beginExport(context: TestContext, port: number): Promise<IncomingMessage> {
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/api/events/export?format=jsonl',
    headers: { authorization: `Bearer ${TOKEN}` },
    agent: false,
  });
  defer(context, () => sent.destroy());
  sent.on('error', () => undefined);
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  return response;
}

describe('GET /api/events/export', () => {
  test('as JSON lines is what fits, newest first', async (t) => {
    const { port } = await startFilled(t);
    const { status, headers, text } = await askAdmin(
      port,
      '/api/events/export?format=jsonl&status=4xx',
    );
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/x-ndjson; charset=utf-8');
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      rows.map(({ id }) => id),
      [4, 3],
    );
    assert.match(rows[0].hash, /^[0-9a-f]{64}$/);
  });

  test('as CSV is a file to be saved', async (t) => {
    const { port } = await startFilled(t);
    const { headers, text } = await askAdmin(port, '/api/events/export?format=csv');
    assert.equal(headers['content-type'], 'text/csv; charset=utf-8');
    assert.equal(headers['content-disposition'], 'attachment; filename="events.csv"');
    assert.equal(text.split('\r\n').length, 8);
  });

  for (const query of ['', 'format=xml', 'format=csv&limit=5', 'format=csv&status=x']) {
    test(`with ${query || 'no query'} is refused`, async (t) => {
      const { port } = await startApp(t);
      const { status, json } = await askAdmin(port, `/api/events/export?${query}`);
      assert.deepEqual([status, json['code']], [400, 'REQUEST_INVALID']);
    });
  }

  test('is for admins only, and takes no other method', async (t) => {
    const { port } = await startApp(t);
    const path = '/api/events/export?format=csv';
    assert.equal((await ask(port, { path })).status, 401);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const posted = await ask(port, { method: 'POST', path, headers });
    assert.deepEqual([posted.status, posted.headers.allow], [405, 'GET']);
  });

  test('waits for its reader; more than two at a time are refused', async (t) => {
    const { port, store } = await startApp(t);
    const meta = JSON.stringify('x'.repeat(4_000));
    // More than the kernel takes for a reader that does not read.
    for (let batch = 0; batch < 20; batch++) {
      store.events.insertAll(Array.from({ length: 1_000 }, () => someEvent({ meta })));
    }
    const first = await beginExport(t, port);
    await beginExport(t, port);
    const refused = await askAdmin(port, '/api/events/export?format=csv');
    assert.deepEqual([refused.status, refused.json['code']], [503, 'TOO_MANY_EXPORTS']);
    first.destroy();
    await until('the end of the first', 10_000, async () => {
      const { status } = await askAdmin(port, '/api/events/export?format=csv&action=none');
      return status === 200;
    });
  });
});
