import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { probe } from '../../../supervisor/acts/probe.ts';

const VERSION = '2.0.0';
const GOOD = JSON.stringify({ version: VERSION, status: 'ok' });
const IPV6 = existsSync('/proc/net/if_inet6');

async function listen(context: TestContext, server: Server, options: ListenOptions = {}) {
  context.after(() => server.close());
  server.listen({ host: '127.0.0.1', port: 0, ...options });
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  return { host: address.address, port: address.port };
}

/** Asks an HTTP server that answers so. */
async function askHttp(context: TestContext, listener: RequestListener, options?: ListenOptions) {
  return probe(await listen(context, createHttpServer(listener), options), VERSION);
}

/** Asks somebody who does this with the connection. */
async function askRaw(context: TestContext, act: (socket: Socket) => void, timeoutMs?: number) {
  const server = createServer((socket) => {
    context.after(() => socket.destroy());
    socket.on('error', () => undefined);
    act(socket);
  });
  return probe(await listen(context, server), VERSION, timeoutMs);
}

const refused = (detail: string) => ({ code: 'UPDATE_PROBE_FAILED', detail });

describe('probe: a good answer', () => {
  test('is 200 with the version, to the right question', async (t) => {
    const asked: unknown[] = [];
    const answer = await askHttp(t, ({ method, url, headers }, response) => {
      asked.push(method, url, headers.host);
      response.end(GOOD);
    });
    assert.equal(answer, null);
    assert.deepEqual(asked, ['GET', '/health/self', 'localhost']);
  });

  test('may have any length that is not too long, and come in pieces', async (t) => {
    const long = JSON.stringify({ version: VERSION, checks: 'x'.repeat(60_000) });
    const answer = await askHttp(t, (_request, response) => {
      response.write(long.slice(0, 5));
      setImmediate(() => response.end(long.slice(5)));
    });
    // A server that is asked by HTTP/1.1 would send this one in chunks.
    assert.equal(answer, null);
  });

  for (const host of ['127.0.0.2', '0.0.0.0', ...(IPV6 ? ['::1', '::'] : [])]) {
    test(`is had from what is bound to ${host}`, async (t) => {
      const options = { host, ipv6Only: host === '::' };
      assert.equal(await askHttp(t, (_request, response) => response.end(GOOD), options), null);
    });
  }
});

describe('probe: a bad answer', () => {
  const ROWS: readonly [string, string, string][] = [
    ['another version', '{"version":"1.0.0"}', 'The answer was 200 of version "1.0.0".'],
    ['no version', '{}', 'The answer was 200 of version undefined.'],
    ['no object', '[]', 'The answer was 200 of version undefined.'],
    ['no JSON', '<html>', 'The answer was 200 of version undefined.'],
    ['nothing', '', 'The answer was 200 of version undefined.'],
  ];
  for (const [title, body, detail] of ROWS) {
    test(`${title} is refused`, async (t) => {
      assert.deepEqual(
        await askHttp(t, (_request, response) => response.end(body)),
        refused(detail),
      );
    });
  }

  test('a right version that is not well is refused with its status', async (t) => {
    const answer = await askHttp(t, (_request, response) => response.writeHead(503).end(GOOD));
    assert.deepEqual(answer, refused(`Version ${VERSION} answered 503.`));
  });

  test('what is told of a strange answer is short', async (t) => {
    const body = JSON.stringify({ version: 'x'.repeat(5_000) });
    const answer = await askHttp(t, (_request, response) => response.end(body));
    assert.equal(answer?.detail.length, 500);
  });

  test('what is no HTTP at all is refused', async (t) => {
    const answer = await askRaw(t, (socket) => socket.end('220 mail.example ESMTP\r\n'));
    assert.deepEqual(answer, refused('The answer was mail.example of version undefined.'));
  });

  test('an answer that does not end is broken off beyond 64 KiB', async (t) => {
    let sent = 0;
    const answer = await askRaw(t, (socket) => {
      const pour = () => {
        while (!socket.destroyed && socket.write('x'.repeat(16_384))) sent += 16_384;
        socket.once('drain', pour);
      };
      pour();
    });
    assert.deepEqual(answer, refused('The answer was too long.'));
    assert.ok(sent < 50_000_000, `${sent} bytes`);
  });

  test('silence is waited for until the limit, and so is an answer that drips', async (t) => {
    const silence = await askRaw(t, () => undefined, 100);
    assert.deepEqual(silence, refused('No answer within 100 ms.'));
    const drip = (socket: Socket) => {
      const timer = setInterval(() => socket.write('x'), 5);
      socket.on('close', () => clearInterval(timer));
    };
    assert.deepEqual(await askRaw(t, drip, 100), refused('No answer within 100 ms.'));
  });

  test('a connection that is refused or cut is told by its cause', async (t) => {
    const server = createServer();
    const address = await listen(t, server);
    server.close();
    await once(server, 'close');
    assert.deepEqual(
      await probe(address, VERSION),
      refused('It cannot be reached (ECONNREFUSED).'),
    );
    assert.deepEqual(
      await askRaw(t, (socket) => socket.resetAndDestroy()),
      refused('It cannot be reached (ECONNRESET).'),
    );
  });
});
