import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { FailureError } from '../../../shared/contract/outcome.ts';
import { isGuarded } from '../../helpers/guarded.ts';
import { type Answer, ask, startApp } from './http-fixture.ts';

/** Writes bytes as they are and reads until the server closes. */
async function exchange(port: number, ...bytes: readonly string[]): Promise<Answer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (const part of bytes) socket.write(part);
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += chunk;
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => {
      const [name = '', value = ''] = field.split(': ');
      return [name.toLowerCase(), value];
    }),
  );
  const length = Number(headers['content-length'] ?? 0);
  const json = length === 0 ? {} : JSON.parse(body.slice(0, length));
  return { status: Number(line.split(' ')[1]), headers, text, json };
}

describe('http application', () => {
  test('a request that is broken off in the middle is no fault of the server, and not logged as one', async (t) => {
    const failed = Promise.withResolvers<void>();
    const { port, log, app } = await startApp(t, {
      prepare: (prepared) => {
        prepared.addHook('onError', async () => failed.resolve());
        prepared.post('/', () => 'here');
      },
    });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
    );
    await once(app.server, 'request');
    socket.destroy();
    await failed.promise;
    await ask(port, { path: '/' });
    assert.doesNotMatch(log.join(''), /request failed/);
  });

  test('each request has an id of its own, which answer and event share and no sender chooses', async (t) => {
    const { port, events, store } = await startApp(t);
    const headers = { 'x-request-id': 'chosen', 'request-id': 'chosen' };
    const answers = [
      await ask(port, { path: '/a', headers }),
      await ask(port, { path: '/b', headers }),
    ];
    events.flush();
    const ids = answers.map((answer) => answer.headers['x-request-id']);
    assert.deepEqual(
      answers.map(({ json }) => json['request_id']),
      ids,
    );
    assert.deepEqual(
      store.events.list({ limit: 9 }).rows.map((event) => event.request_id),
      [...ids].reverse(),
    );
    assert.equal(new Set(ids).size, 2);
    for (const id of ids) assert.match(String(id), /^req_[0-9a-z]{19}$/);
  });

  test('every answer says what browsers may do with it', async (t) => {
    const { port } = await startApp(t, {
      prepare: (app) => app.get('/bug', () => Promise.reject(new Error('inside'))),
    });
    for (const path of ['/nowhere', '/bug', '/api/tasks', '/github-package-update/%zz']) {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'PROPFIND']) {
        const { headers } = await ask(port, { method, path });
        isGuarded(headers, `${method} ${path}`);
        assert.equal(headers['strict-transport-security'], undefined);
      }
    }
  });

  for (const [title, headers, body] of [
    ['a body that is not JSON', { 'content-type': 'application/json' }, '{'],
    ['a body of another type', { 'content-type': 'text/html' }, '<p>'],
    ['a type that is none', { 'content-type': 'x' }, 'x'],
    ['a body of 2 MB', { 'content-type': 'application/json' }, 'x'.repeat(2_000_000)],
  ] as const) {
    test(`${title} does not turn a 404 into something else`, async (t) => {
      const { port, log } = await startApp(t);
      const answer = await ask(port, { method: 'POST', path: '/nowhere', headers, body });
      assert.deepEqual([answer.status, answer.json['code']], [404, 'NOT_FOUND']);
      assert.deepEqual(log, []);
    });
  }

  test('a bug is answered with 500, says nothing of itself, and is logged with the request id', async (t) => {
    const { port, log, events, store } = await startApp(t, {
      prepare: (app) => app.get('/bug', () => Promise.reject(new Error('zgeheim inside'))),
    });
    const answer = await ask(port, { path: '/bug' });
    assert.deepEqual([answer.status, answer.json['code']], [500, 'INTERNAL']);
    assert.doesNotMatch(answer.text, /zgeheim/);
    const [line] = log.map((text) => JSON.parse(text));
    assert.equal(line.request, answer.json['request_id']);
    assert.equal(line.err.message, 'zgeheim inside');
    events.flush();
    const [event] = store.events.list({ limit: 1 }).rows;
    assert.deepEqual([event?.code, event?.action, event?.status], ['INTERNAL', 'unknown', 500]);
  });

  test('something thrown that is no error is answered with 500 too', async (t) => {
    const { port } = await startApp(t, {
      prepare: (app) => app.get('/bug', () => Promise.reject(Object.create(null))),
    });
    assert.equal((await ask(port, { path: '/bug' })).json['code'], 'INTERNAL');
  });

  test('a failure that is thrown is answered with its own code and detail', async (t) => {
    const { port, log } = await startApp(t, {
      prepare: (app) =>
        app.get('/full', () => {
          throw new FailureError({ code: 'SPOOL_DISK_FULL', detail: 'seen' });
        }),
    });
    const answer = await ask(port, { path: '/full' });
    assert.deepEqual([answer.status, answer.json['detail']], [507, 'seen']);
    assert.deepEqual(log, []);
  });

  for (const [target, path] of [
    ['http://me:zgeheim@127.0.0.1/api/tasks?token=zgeheim', '/api/tasks'],
    ['http://me:zgeheim@127.0.0.1', '/'],
    ['http://me:zgeheim@127.0.0.1?zgeheim', '/'],
    ['http://me:zgeheim@127.0.0.1/%zz', '/%zz'],
  ] as const) {
    test(`of ${target} the path alone is recorded`, async (t) => {
      const { port, events, store } = await startApp(t);
      const { status, text } = await ask(port, { path: target });
      assert.equal(status, { '/api/tasks': 401, '/%zz': 400 }[path as string] ?? 404);
      assert.doesNotMatch(text, /zgeheim/);
      events.flush();
      assert.equal(store.events.list({ limit: 1 }).rows[0]?.path, path);
    });
  }

  test('the event of a request has its path without the query, cut, and the time that it took', async (t) => {
    const { port, events, store } = await startApp(t);
    await ask(port, { path: `/${'p'.repeat(400)}?secret=zgeheim` });
    events.flush();
    const [event] = store.events.list({ limit: 1 }).rows;
    assert.equal(event?.path, `/${'p'.repeat(299)}`);
    assert.deepEqual(
      [event?.method, event?.remote_address, event?.action],
      ['GET', '127.0.0.1', 'not-found'],
    );
    assert.ok(event && event.duration_us >= 0 && Number.isInteger(event.duration_us));
  });
});

describe('http application: the task of an event', () => {
  const ID = 'tsk_0123456789abcdefghj';
  for (const [path, task] of [
    [`/api/tasks/${ID}`, ID],
    ['/api/tasks/tsk_1', null],
    ['/api/tasks', null],
    [`/nowhere/${ID}`, null],
  ] as const) {
    test(`${path} names ${task ?? 'none'}`, async (t) => {
      const { port, events, store } = await startApp(t);
      await ask(port, { path });
      events.flush();
      assert.equal(store.events.list({ limit: 1 }).rows[0]?.task_id, task);
    });
  }
});

describe('http application: what never becomes a request', () => {
  const ROWS: readonly [title: string, bytes: string][] = [
    ['a line that is no request', 'HELLO\r\n\r\n'],
    ['a head without Host', 'GET / HTTP/1.1\r\n\r\n'],
    ['a header name with a space', 'GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n'],
    [
      'both length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
  ];
  for (const [title, bytes] of ROWS) {
    test(`${title} is answered with a 4xx and the connection is closed`, async (t) => {
      const { port } = await startApp(t);
      const answer = await exchange(port, bytes);
      assert.equal(answer.status, 400);
      assert.equal(answer.headers.connection, 'close');
      isGuarded(answer.headers, title);
    });
  }

  test('an expectation that nobody knows is answered as guardedly', async (t) => {
    const { port } = await startApp(t);
    const head = 'GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nConnection: close\r\n\r\n';
    const { status, headers } = await exchange(port, head);
    assert.equal(status, 417);
    isGuarded(headers, 'expectation');
  });

  test('a broken head is answered with a problem', async (t) => {
    const { port } = await startApp(t);
    const { json, headers } = await exchange(port, 'HELLO\r\n\r\n');
    assert.equal(headers['content-type'], 'application/problem+json; charset=utf-8');
    assert.deepEqual([json['status'], json['code']], [400, 'REQUEST_INVALID']);
    assert.match(String(json['request_id']), /^req_/);
  });

  test('a broken head leaves an event, which its answer names', async (t) => {
    const { port, events, store } = await startApp(t);
    const { json } = await exchange(port, 'HELLO\r\n\r\n');
    events.flush();
    const [event] = store.events.list({ limit: 9 }).rows;
    assert.deepEqual(
      [event?.request_id, event?.action, event?.status, event?.code, event?.remote_address],
      [json['request_id'], 'request-line', 400, 'REQUEST_INVALID', '127.0.0.1'],
    );
  });

  test('a broken second request does not spoil the answer to the first', async (t) => {
    const { port } = await startApp(t);
    const { text } = await exchange(port, 'GET /one HTTP/1.1\r\nHost: x\r\n\r\n', 'HELLO\r\n\r\n');
    assert.match(text, /^HTTP\/1\.1 404 [\s\S]*HTTP\/1\.1 400 Bad Request/);
  });

  test('a request that does not arrive in time is answered with 408', async (t) => {
    const { port, app } = await startApp(t);
    assert.equal(app.server.requestTimeout, 30_000);
    assert.ok(app.server.headersTimeout <= 60_000);
    assert.equal(app.server.keepAliveTimeout, 75_000);
    const socket = connect(port, '127.0.0.1');
    const [served] = await once(app.server, 'connection');
    // What Node does when its own watch finds a request too old; waiting for it takes half a minute.
    const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    app.server.emit('clientError', late, served);
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += chunk;
    assert.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    assert.match(text, /"code":"REQUEST_TIMEOUT"/);
  });

  test('a client that has reset its connection gets no answer and leaves no socket', async (t) => {
    const { port, app } = await startApp(t);
    const socket = connect({ port, host: '127.0.0.1' });
    t.after(() => socket.destroy());
    const [served] = await once(app.server, 'connection');
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    app.server.emit('clientError', reset, served);
    assert.equal(served.destroyed, true);
    assert.equal(served.bytesWritten, 0);
  });
});
