import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import {
  openRegistryConnections,
  type RegistryConnections,
} from '../../../app/registry/registry-connections.ts';
import { type FakeServer, makeCertificate, sendIndex, sendStatus, serve } from './fake-registry.ts';
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
  });

  test('have one where the registry keeps it open', async (t) => {
    const server = await serve(t, (received, response) => {
      if (received.method === 'HEAD') return sendStatus(response, 405);
      sendIndex(received, response);
    });
    const connections = keep(t);
    for (let more = 0; more < 3; more++) assert.ok((await lookUp(server, { connections })).ok);
    assert.deepEqual(methods(server), ['HEAD', 'GET', 'HEAD', 'GET', 'HEAD', 'GET']);
    const before = server.connections();
    assert.equal(before, 2 + 3);
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
    await expectFailure('REGISTRY_RESPONSE_INVALID', server, { connections, timeoutMs: 200 });
    const giving = new AbortController();
    const looking = lookUp(server, { connections, signal: giving.signal });
    giving.abort(new Error('given up'));
    await assert.rejects(looking, /given up/);
  });

  test('find a registry that is reached otherwise by now', async (t) => {
    const certificate = makeCertificate(folder, 'kept');
    const serveOn = async (port: number, isSecure: boolean) => {
      const listener: Parameters<typeof createHttpServer>[1] = (request, response) =>
        sendIndex({ method: request.method } as FakeServer['received'][0], response);
      const server = isSecure
        ? createHttpsServer(certificate, listener)
        : createHttpServer(listener);
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return server;
    };
    const connections = keep(t);
    const plain = await serveOn(0, false);
    const { port } = plain.address() as AddressInfo;
    const at = { port, received: [], connections: () => 0 };
    assert.ok((await lookUp(at, { connections })).ok);
    plain.closeAllConnections();
    plain.close();
    await once(plain, 'close');
    const secure = await serveOn(port, true);
    t.after(() => {
      secure.closeAllConnections();
      secure.close();
    });
    const found = await lookUp(at, { connections });
    assert.equal(found.ok ? found.value.endpoint : '', `https://127.0.0.1:${port}`);
  });

  test('go by the rules and the logins of their time', async (t) => {
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
    const asked = server.received.length;
    // Plain http is no longer allowed.
    await expectFailure('REGISTRY_UNREACHABLE', server, { connections, registries: [] });
    assert.equal(server.received.length, asked);
  });
});

testThatNoFailureHasSecrets(4);
