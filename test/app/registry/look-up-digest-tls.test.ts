import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import {
  DIGEST,
  type FakeServer,
  INDEX_TYPE,
  makeCertificate,
  sendIndex,
  sendStatus,
  serve,
} from './fake-registry.ts';
import {
  BASIC,
  expectFailure,
  folder,
  grantAll,
  login,
  lookUp,
  methods,
  passwordFile,
  TOKEN,
  testThatNoFailureHasSecrets,
} from './look-up-fixture.ts';

const trusted = makeCertificate(folder, 'trusted');
const stranger = makeCertificate(folder, 'stranger');
setDefaultCACertificates([...getCACertificates('default'), trusted.cert.toString()]);

const SECURE = { registries: [] };
const WITH_LOGIN = { authFiles: [passwordFile] };

/** A registry that answers nobody without a password or token, with this challenge. */
function challenging(challenge: () => string): Parameters<typeof serve>[1] {
  return (received, response) => {
    if (received.authorization) return sendIndex(received, response);
    sendStatus(response, 401, { 'www-authenticate': challenge() });
  };
}

const bearer = (scheme: string, { port }: FakeServer, host = '127.0.0.1') =>
  `Bearer realm="${scheme}://${host}:${port}/token"`;

describe('a registry by https', () => {
  test('with a certificate that is trusted is asked', async (t) => {
    const server = await serve(t, (r, s) => sendIndex(r, s), trusted);
    const result = await lookUp(server, SECURE);
    assert.equal(result.ok && result.value.endpoint, `https://127.0.0.1:${server.port}`);
  });

  test('with a certificate of a stranger is not asked', async (t) => {
    const server = await serve(t, (r, s) => sendIndex(r, s), stranger);
    const detail = await expectFailure('REGISTRY_UNREACHABLE', server, SECURE);
    assert.match(detail, /DEPTH_ZERO_SELF_SIGNED_CERT/);
    assert.equal(server.received.length, 0);
  });

  test('with a certificate of a stranger is asked where it is insecure', async (t) => {
    const server = await serve(t, (r, s) => sendIndex(r, s), stranger);
    const result = await lookUp(server);
    assert.equal(result.ok && result.value.digest, DIGEST);
    assert.equal(result.ok && result.value.endpoint, `https://127.0.0.1:${server.port}`);
  });

  test('is never asked by plain http unless it is insecure', async (t) => {
    const server = await serve(t, (r, s) => sendIndex(r, s));
    await expectFailure('REGISTRY_UNREACHABLE', server, SECURE);
    assert.equal(server.received.length, 0);
    const result = await lookUp(server);
    assert.equal(result.ok && result.value.endpoint, `http://127.0.0.1:${server.port}`);
  });

  test('is asked again where a connection breaks before an answer, once', async (t) => {
    let broken = 1;
    const server = await serve(
      t,
      (received, response) => {
        broken -= 1;
        if (broken >= 0) response.destroy();
        else sendIndex(received, response);
      },
      trusted,
    );
    assert.ok((await lookUp(server, SECURE)).ok);
    assert.deepEqual(methods(server), ['HEAD', 'HEAD']);
    broken = 2;
    await expectFailure('REGISTRY_UNREACHABLE', server, SECURE);
    assert.equal(server.received.length, 4);
  });

  test('that never finishes the handshake is given up in time', async (t) => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const sockets = new Set<{ destroy: () => void }>();
    silent.on('connection', (socket) => sockets.add(socket));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    const server = { port, received: [], connections: () => sockets.size };
    await expectFailure('REGISTRY_TIMEOUT', server, { ...SECURE, timeoutMs: 300 });
    assert.equal(sockets.size, 1);
  });
});

describe('credentials', () => {
  test('go to a realm by https, on any host that proves itself', async (t) => {
    const tokens = await serve(t, grantAll, trusted);
    const server = await serve(
      t,
      challenging(() => bearer('https', tokens, 'localhost')),
      trusted,
    );
    login(server);
    const result = await lookUp(server, { ...SECURE, ...WITH_LOGIN });
    assert.equal(result.ok && result.value.authenticated, true);
    assert.equal(tokens.received[0]?.authorization, BASIC);
    assert.equal(server.received.at(-1)?.authorization, `Bearer ${TOKEN}`);
  });

  for (const [title, options] of [
    ['a secure registry', SECURE],
    ['an insecure registry that was reached by https', {}],
  ] as const) {
    test(`never go to a realm by plain http on the word of ${title}`, async (t) => {
      const tokens = await serve(t, grantAll);
      const server = await serve(
        t,
        challenging(() => bearer('http', tokens)),
        trusted,
      );
      login(server);
      await expectFailure('REGISTRY_RESPONSE_INVALID', server, { ...options, ...WITH_LOGIN });
      assert.equal(tokens.connections(), 0);
    });
  }

  test('never go to a stranger because the registry is insecure', async (t) => {
    const tokens = await serve(t, grantAll, stranger);
    const server = await serve(
      t,
      challenging(() => bearer('https', tokens, 'localhost')),
      stranger,
    );
    login(server);
    const detail = await expectFailure('REGISTRY_UNREACHABLE', server, WITH_LOGIN);
    assert.match(detail, /localhost:\d+ failed \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    assert.equal(tokens.received.length, 0);
  });

  test('go to the host of an insecure registry itself', async (t) => {
    const tokens = await serve(t, grantAll, stranger);
    const server = await serve(
      t,
      challenging(() => bearer('https', tokens)),
      stranger,
    );
    login(server);
    assert.ok((await lookUp(server, WITH_LOGIN)).ok);
    assert.equal(tokens.received[0]?.authorization, BASIC);
  });

  test('do not follow a redirect from https to plain http', async (t) => {
    const elsewhere = await serve(t, (r, s) => sendIndex(r, s));
    const location = `http://127.0.0.1:${elsewhere.port}/`;
    const server = await serve(t, (_r, s) => sendStatus(s, 307, { location }), trusted);
    await expectFailure('REGISTRY_RESPONSE_INVALID', server, SECURE);
    assert.equal(elsewhere.connections(), 0);
  });
});

test('the media type is that of the answer', async (t) => {
  const server = await serve(t, (r, s) => sendIndex(r, s), trusted);
  const result = await lookUp(server, SECURE);
  assert.equal(result.ok && result.value.mediaType, INDEX_TYPE);
});

testThatNoFailureHasSecrets(5);
