import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { ConnectionLimits } from '../../../../app/domain/connection-limits.ts';
import {
  type ConnectionGuard,
  type CutReason,
  guardConnections,
} from '../../../../app/http/connections/guard-connections.ts';
import { createApp } from '../../../../app/http/create-app.ts';
import { keepLog } from '../http-fixture.ts';

const LIMITS: ConnectionLimits = {
  ...{ total: 100, burst: 200, perAddress: 100, headTimeoutMs: 60_000 },
  ...{ requestTimeoutMs: 60_000, minBodyRate: 0 },
};

type Guarded = {
  readonly app: FastifyInstance;
  readonly guard: ConnectionGuard;
  readonly port: number;
  readonly events: { readonly status: number; readonly code: string | null }[];
  readonly told: CutReason[];
  /** Answers what waits at /held. */
  readonly release: () => void;
};

async function start(
  context: TestContext,
  limits: Partial<ConnectionLimits>,
  isTrusted = () => false,
): Promise<Guarded> {
  const events: { status: number; code: string | null }[] = [];
  const told: CutReason[] = [];
  const { log } = keepLog();
  const app = createApp({ log, events: { record: (event) => void events.push(event) } });
  const held: (() => void)[] = [];
  app.get('/', (_request, reply) => reply.send('here'));
  app.post('/', (_request, reply) => reply.send('got it'));
  app.get('/held', () => new Promise((resolve) => held.push(() => resolve('late'))));
  app.get('/large', (_request, reply) => reply.send('x'.repeat(32 * 1024 * 1024)));
  const guard = guardConnections(
    app.server,
    { ...LIMITS, ...limits },
    { isTrusted, onCut: (reason) => void told.push(reason) },
  );
  await app.listen({ host: '127.0.0.1', port: 0 });
  context.after(async () => {
    guard.close();
    app.server.closeAllConnections();
    await app.close();
  });
  const { port } = app.server.address() as AddressInfo;
  const release = () => {
    for (const answer of held.splice(0)) answer();
  };
  return { app, guard, port, events, told, release };
}

/** A connection that the server has accepted. */
async function open(context: TestContext, { app, port }: Guarded, text = ''): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  context.after(() => socket.destroy());
  await once(app.server, 'connection');
  if (text !== '') socket.write(text);
  return socket;
}

/** What a socket says until it ends. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  try {
    for await (const chunk of socket.setEncoding('latin1')) text += chunk;
  } catch {
    // It was cut off.
  }
  return text;
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
}

const POST = (body: string, length: number) =>
  `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

describe('a full house', () => {
  test('ends whoever has been silent for longest, and serves the next', async (t) => {
    const server = await start(t, { total: 3 });
    const [first, second, third] = [
      await open(t, server),
      await open(t, server),
      await open(t, server),
    ];
    const next = await open(t, server, GET('/'));
    await closed(first);
    const [answer] = await once(next, 'data');
    assert.match(String(answer), /^HTTP\/1.1 200 .*here$/s);
    assert.ok(!second.destroyed && !third.destroyed);
    const { open: stages, cut } = server.guard.state();
    assert.deepEqual(stages, { fresh: 2, idle: 1, receiving: 0, answering: 0 });
    assert.deepEqual(cut, {
      ...{ total: 1, address: 0, 'slow-head': 0, 'slow-body': 0, 'slow-reader': 0 },
    });
  });

  test('ends one that is kept for a next request, where it has waited longer', async (t) => {
    const server = await start(t, { total: 2 });
    const kept = await open(t, server, GET('/'));
    await once(kept, 'data');
    const fresh = await open(t, server);
    await open(t, server);
    await closed(kept);
    assert.ok(!fresh.destroyed);
  });

  test('ends a request that has been arriving for longer than others are silent', async (t) => {
    const server = await start(t, { total: 2 });
    const arriving = () => POST('"2', 9);
    const begun = () => once(server.app.server, 'request');
    const [older] = await Promise.all([open(t, server, arriving()), begun()]);
    const [newer] = await Promise.all([open(t, server, arriving()), begun()]);
    const next = await open(t, server, GET('/'));
    await closed(older);
    await once(next, 'data');
    assert.ok(!newer.destroyed);
  });

  test('never ends what is being answered: then it is the newcomer who goes', async (t) => {
    const server = await start(t, { total: 2, burst: 2 });
    const begun = () => once(server.app.server, 'request');
    const [one] = await Promise.all([open(t, server, GET('/held')), begun()]);
    const [other] = await Promise.all([open(t, server, GET('/held')), begun()]);
    await closed(await open(t, server));
    server.release();
    for (const socket of [one, other]) {
      assert.match(String((await once(socket, 'data'))[0]), /late$/);
    }
  });

  test('ends one that does not read its answer, where all others are at work', async (t) => {
    const server = await start(t, { total: 2, burst: 2 });
    const begun = () => once(server.app.server, 'request');
    const deaf = connect({ host: '127.0.0.1', port: server.port });
    t.after(() => deaf.destroy());
    deaf.on('error', () => {});
    deaf.pause();
    deaf.write(GET('/large'));
    await begun();
    await Promise.all([open(t, server, GET('/held')), begun()]);
    const next = await open(t, server, GET('/'));
    await once(next, 'data');
    await closed(deaf);
    server.release();
  });

  test('counts an address with its own limit, unless it speaks for many', async (t) => {
    const server = await start(t, { perAddress: 2 });
    const first = await open(t, server);
    await open(t, server);
    await open(t, server);
    await closed(first);
    assert.equal(server.guard.state().cut.address, 1);
    assert.deepEqual(server.guard.state().addresses, [{ address: '127.0.0.1', open: 2 }]);
    assert.deepEqual(server.told, ['address']);

    const proxied = await start(t, { perAddress: 2 }, () => true);
    for (let at = 0; at < 4; at++) await open(t, proxied);
    assert.equal(proxied.guard.state().cut.address, 0);
  });

  test('tells of a flood once, and counts all of it', async (t) => {
    const server = await start(t, { total: 1 });
    const sockets: Socket[] = [];
    for (let at = 0; at < 20; at++) sockets.push(await open(t, server));
    await Promise.all(sockets.slice(0, 19).map(closed));
    assert.equal(server.guard.state().cut.total, 19);
    assert.deepEqual(server.told, ['total']);
    assert.ok((server.guard.state().cutAt ?? 0) <= Date.now());
  });
});

test('who speaks at once is heard, however many come with it that say nothing', async (t) => {
  const server = await start(t, { total: 5, burst: 100, perAddress: 5 });
  const all = Array.from({ length: 60 }, (_, at) => {
    const socket = connect({ host: '127.0.0.1', port: server.port });
    socket.on('error', () => {});
    t.after(() => socket.destroy());
    if (at === 10) socket.write(GET('/'));
    return socket;
  });
  const [answer] = await once(all[10] as Socket, 'data');
  assert.match(String(answer), /here$/);
  await Promise.all(all.slice(0, 10).map(closed));
});

describe('a slow sender', () => {
  test('that says nothing is cut off without a word, and leaves no event', async (t) => {
    const server = await start(t, { headTimeoutMs: 100 });
    assert.equal(await readAll(await open(t, server)), '');
    assert.equal(server.guard.state().cut['slow-head'], 1);
    assert.deepEqual(server.events, []);
  });

  test('of a head is told that it is too slow', async (t) => {
    const server = await start(t, { headTimeoutMs: 100 });
    const text = await readAll(await open(t, server, 'GET / HTTP/1.1\r\nX-Drip'));
    assert.match(text, /^HTTP\/1.1 408 .*REQUEST_TIMEOUT/s);
    assert.deepEqual(
      server.events.map(({ status, code }) => [status, code]),
      [[408, 'REQUEST_TIMEOUT']],
    );
  });

  test('of a body is told so, and its connection ends though it goes on sending', async (t) => {
    const server = await start(t, { requestTimeoutMs: 100 });
    const socket = await open(t, server, POST('"', 99));
    const drip = setInterval(() => socket.write('2'), 20);
    t.after(() => clearInterval(drip));
    assert.match(await readAll(socket), /^HTTP\/1.1 408 /);
    await closed(socket);
    assert.equal(server.guard.state().cut['slow-body'], 1);
  });

  test('of what was refused early is cut off just the same', async (t) => {
    const server = await start(t, { requestTimeoutMs: 100 });
    const socket = await open(t, server, POST('1', 99).replace('/json', '/x-other'));
    assert.match(await readAll(socket), /^HTTP\/1.1 415 /);
    assert.equal(server.guard.state().cut['slow-body'], 1);
  });

  test('has no part in those that are fast enough', async (t) => {
    const server = await start(t, { requestTimeoutMs: 100, headTimeoutMs: 100 });
    const kept = await open(t, server, GET('/'));
    await once(kept, 'data');
    await readAll(await open(t, server, 'GET'));
    kept.write(GET('/'));
    assert.match(String((await once(kept, 'data'))[0]), /here$/);
  });
});

test('nothing is kept of connections that have ended', async (t) => {
  const server = await start(t, {});
  const sockets: Socket[] = [];
  for (let at = 0; at < 30; at++) sockets.push(await open(t, server, at % 2 ? GET('/') : ''));
  const gone = sockets.map((socket) => closed(socket));
  const counted = Promise.withResolvers<void>();
  const look = () => {
    server.app.server.getConnections((_error, count) =>
      count === 0 ? counted.resolve() : setImmediate(look),
    );
  };
  for (const socket of sockets) socket.destroy();
  await Promise.all(gone);
  look();
  await counted.promise;
  // Node counts down before it tells of it.
  await new Promise((resolve) => setImmediate(resolve));
  const { open: stages, addresses } = server.guard.state();
  assert.deepEqual(stages, { fresh: 0, idle: 0, receiving: 0, answering: 0 });
  assert.deepEqual(addresses, []);
});

test('a head that is too large is told so', async (t) => {
  const server = await start(t, {});
  const text = await readAll(
    await open(t, server, `GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`),
  );
  assert.match(text, /^HTTP\/1.1 431 .*HEAD_TOO_LARGE/s);
});
