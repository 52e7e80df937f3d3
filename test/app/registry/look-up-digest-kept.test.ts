import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { LookUpOptions } from '../../../app/registry/look-up-digest.ts';
import {
  openRegistryConnections,
  type RegistryConnections,
} from '../../../app/registry/registry-connections.ts';
import {
  type FakeServer,
  makeCertificate,
  type Received,
  type Reply,
  sendIndex,
  sendStatus,
  serve,
} from './fake-registry.ts';
import {
  BASIC,
  expectFailure,
  folder,
  login,
  lookUp,
  methods,
  passwordFile,
  testThatNoFailureHasSecrets,
} from './look-up-fixture.ts';

function keep(t: TestContext, retryPauseMs = 1): RegistryConnections {
  const { signal } = new AbortController();
  const options = { signal, userAgent: 'podup-test/1', retryPauseMs };
  const connections = openRegistryConnections(options);
  t.after(() => connections.close());
  return connections;
}

const whole: Reply = (received, response) => sendIndex(received, response);

/** A registry that speaks TLS and plain http on one port, each as the test says; `authorized`: of the latter. */
async function serveBoth(t: TestContext) {
  const authorized: string[] = [];
  const answers: { https: Reply | 'broken'; http: Reply } = { https: 'broken', http: whole };
  const receive = (request: IncomingMessage) =>
    ({ method: request.method, authorization: request.headers.authorization }) as Received;
  const secure = createHttpsServer(makeCertificate(folder, 'both'), (request, response) => {
    if (answers.https !== 'broken') answers.https(receive(request), response, request);
  });
  const plain = createHttpServer((request, response) => {
    const received = receive(request);
    if (received.authorization) authorized.push(received.authorization);
    answers.http(received, response, request);
  });
  const sockets = new Set<Socket>();
  let connections = 0;
  const front = createServer((socket) => {
    connections += 1;
    sockets.add(socket.on('error', () => undefined));
    socket.once('data', (first) => {
      // The first byte of a TLS record of a handshake.
      const isSecure = first[0] === 0x16;
      if (isSecure && answers.https === 'broken') return void socket.destroy();
      const { port } = (isSecure ? secure : plain).address() as AddressInfo;
      const behind = connect(port, '127.0.0.1');
      sockets.add(behind.on('error', () => undefined));
      behind.write(first);
      socket.pipe(behind).pipe(socket);
    });
  });
  const servers = [front, secure, plain];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  });
  const { port } = front.address() as AddressInfo;
  const server: FakeServer = { port, received: [], connections: () => connections };
  return Object.assign(answers, { host: `127.0.0.1:${port}`, server, authorized });
}

async function endpointOf(
  { server }: { readonly server: FakeServer },
  options: Partial<LookUpOptions>,
): Promise<string> {
  const found = await lookUp(server, options);
  return found.ok ? found.value.endpoint : JSON.stringify(found.failure);
}

describe('look-ups that share their connections', () => {
  test('ask again in the clear where they were answered so', async (t) => {
    const server = await serve(t, (received, response) => sendIndex(received, response));
    const connections = keep(t);
    assert.ok((await lookUp(server, { connections })).ok);
    // By https, which it does not speak, and by http.
    assert.equal(server.connections(), 2);
    for (let more = 0; more < 3; more++) assert.ok((await lookUp(server, { connections })).ok);
    assert.deepEqual(methods(server), ['HEAD', 'HEAD', 'HEAD', 'HEAD']);
    // Each HEAD closes its own.
    assert.equal(server.connections(), 2 + 3);
    assert.ok((await lookUp(server)).ok);
    assert.equal(server.connections(), 2 + 3 + 2, 'one that is by itself begins anew');
    const asked = server.received.length;
    await expectFailure('REGISTRY_UNREACHABLE', server, { connections, registries: [] });
    assert.equal(server.received.length, asked, 'plain http is no longer allowed');
  });

  test('have one where the registry keeps it open', async (t) => {
    const server = await serve(t, (received, response) => {
      if (received.method === 'HEAD') return sendStatus(response, 405);
      sendIndex(received, response);
    });
    const connections = keep(t);
    for (let more = 0; more < 3; more++) assert.ok((await lookUp(server, { connections })).ok);
    assert.deepEqual(methods(server), ['HEAD', 'GET', 'HEAD', 'GET', 'HEAD', 'GET']);
    // Three tries by https, the first HEAD, and each GET, whose connection the next HEAD takes.
    assert.equal(server.connections(), 3 + 1 + 3);
  });

  test('have their own limits: the next one is answered', async (t) => {
    let isSilent = true;
    const server = await serve(t, (received, response) => {
      if (!isSilent) sendIndex(received, response);
    });
    const connections = keep(t);
    await expectFailure('REGISTRY_TIMEOUT', server, { connections, timeoutMs: 200 });
    const giving = new AbortController();
    giving.abort(new Error('given up'));
    await assert.rejects(lookUp(server, { connections, signal: giving.signal }), /given up/);
    isSilent = false;
    assert.ok((await lookUp(server, { connections })).ok);
  });

  test('have retries of their own', async (t) => {
    const server = await serve(t, (received, response) => {
      if (server.received.length % 4 !== 0) return sendStatus(response, 503);
      sendIndex(received, response);
    });
    const connections = keep(t);
    for (let more = 0; more < 2; more++) assert.ok((await lookUp(server, { connections })).ok);
    assert.equal(server.received.length, 8);
  });

  test('do not pause beyond their limits', async (t) => {
    const server = await serve(t, (_received, response) => sendStatus(response, 503));
    const connections = keep(t, 60_000);
    await expectFailure('REGISTRY_RESPONSE_INVALID', server, { connections, timeoutMs: 2_000 });
  });

  test('find a registry that is reached otherwise by now', async (t) => {
    const registry = await serveBoth(t);
    const connections = keep(t);
    registry.https = 'broken';
    assert.equal(await endpointOf(registry, { connections }), `http://${registry.host}`);
    registry.https = whole;
    registry.http = (_received, response) => sendStatus(response, 400);
    assert.equal(await endpointOf(registry, { connections }), `https://${registry.host}`);
    registry.http = whole;
    assert.equal(await endpointOf(registry, { connections }), `https://${registry.host}`);
    registry.https = 'broken';
    const before = registry.server.connections();
    assert.equal(await endpointOf(registry, { connections }), `http://${registry.host}`);
    // A connection that breaks is tried once more.
    assert.equal(registry.server.connections() - before, 2 + 1, 'by https, then in the clear');
  });

  test('give no password away for having been answered in the clear', async (t) => {
    const registry = await serveBoth(t);
    const connections = keep(t);
    registry.https = 'broken';
    assert.equal(await endpointOf(registry, { connections }), `http://${registry.host}`);
    login(registry.server);
    const authFiles = [passwordFile];
    registry.https = whole;
    registry.http = (received, response) => {
      if (received.authorization === BASIC) return sendIndex(received, response);
      sendStatus(response, 401, { 'www-authenticate': 'Basic realm="x"' });
    };
    assert.equal(
      await endpointOf(registry, { connections, authFiles }),
      `https://${registry.host}`,
    );
    // Where https does not answer at all, podman would give it away, too; each time anew.
    registry.https = 'broken';
    assert.equal(await endpointOf(registry, { connections, authFiles }), `http://${registry.host}`);
    assert.equal(registry.authorized.at(-1), BASIC);
    registry.https = whole;
    const before = registry.server.connections();
    assert.equal(
      await endpointOf(registry, { connections, authFiles }),
      `https://${registry.host}`,
    );
    assert.equal(registry.server.connections() - before, 1, 'by https alone');
    assert.equal(registry.authorized.length, 1);
  });

  test('go by the logins of their time', async (t) => {
    const server = await serve(t, (received, response) => {
      if (received.authorization === BASIC) return sendIndex(received, response);
      sendStatus(response, 401, { 'www-authenticate': 'Basic realm="x"' });
    });
    const connections = keep(t);
    await expectFailure('REGISTRY_UNAUTHORIZED', server, { connections });
    login(server);
    const authFiles = [passwordFile];
    assert.ok((await lookUp(server, { connections, authFiles })).ok);
    await expectFailure('REGISTRY_UNAUTHORIZED', server, { connections });
  });
});

testThatNoFailureHasSecrets(4);
