import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../../../app/db/store.ts';
import { ask, askAdmin, startApp } from '../http-fixture.ts';

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

  for (const cursor of ['0', '-1', 'x', '1.5', '99999999999999999999']) {
    test(`events with cursor ${cursor} are refused`, async (t) => {
      const { port } = await startApp(t);
      const answer = await askAdmin(port, `/api/events?cursor=${cursor}`);
      assert.deepEqual([answer.status, answer.json['code']], [400, 'REQUEST_INVALID']);
      assert.match(String(answer.json['detail']), /^cursor: /);
    });
  }
});

describe('admin api: methods', () => {
  for (const path of ['/api/events', '/api/quarantine']) {
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
