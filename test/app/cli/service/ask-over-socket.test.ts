import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { askOverSocket } from '../../../../app/cli/service/ask-over-socket.ts';
import type { Question } from '../../../../app/cli/service/question.ts';
import { makeFolder } from '../../http/http-fixture.ts';

const GET: Question = { path: '/x' };
const POST: Question = { path: '/x', body: { a: 1 } };

/** Asks a server that does this with each connection. */
async function askRaw(context: TestContext, question: Question, act: (socket: Socket) => void) {
  const path = join(makeFolder(context), 'sock');
  const server = createNetServer(act).listen(path);
  context.after(() => server.close());
  await once(server, 'listening');
  return await askOverSocket(connect(path), question, AbortSignal.timeout(20_000));
}

/** Asks an HTTP server. */
async function askHttp(context: TestContext, question: Question, act: RequestListener) {
  const path = join(makeFolder(context), 'sock');
  const server = createServer(act).listen(path);
  context.after(() => server.close());
  await once(server, 'listening');
  return await askOverSocket(connect(path), question, AbortSignal.timeout(20_000));
}

describe('asking over the socket', () => {
  test('sends a body when it is wanted, and gives the answer', async (t) => {
    const reply = await askHttp(t, POST, async (request, response) => {
      response.writeHead(202).end(JSON.stringify({ got: await json(request) }));
    });
    assert.ok(typeof reply === 'object');
    assert.equal(reply.status, 202);
    assert.deepEqual(await json(reply.body), { got: { a: 1 } });
  });

  test('gives a refusal that came before the body was read', async (t) => {
    const reply = await askRaw(t, POST, (socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n{}'),
    );
    assert.ok(typeof reply === 'object');
    assert.equal(reply.status, 403);
  });

  for (const [title, question] of [
    ['a question', GET],
    ['a command', POST],
  ] as const) {
    test(`${title} that was cut off before it was begun may be asked again`, async (t) => {
      assert.equal(await askRaw(t, question, (socket) => socket.destroy()), 'again');
    });
  }

  test('a question that was begun may be asked again', async (t) => {
    const cut = (socket: Socket) => socket.once('data', () => socket.destroy());
    assert.equal(await askRaw(t, GET, cut), 'again');
  });

  test('a command that was begun and cut off may have been carried out', async (t) => {
    const reply = await askRaw(t, POST, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        socket.once('data', () => socket.destroy());
      });
    });
    assert.equal(reply, 'lost');
  });

  test('a deletion that was sent and cut off may have been carried out', async (t) => {
    const cut = (socket: Socket) => socket.once('data', () => socket.destroy());
    assert.equal(await askRaw(t, { path: '/x', method: 'DELETE' }, cut), 'lost');
  });
});
