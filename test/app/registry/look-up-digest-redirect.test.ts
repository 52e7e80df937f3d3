import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { DIGEST, type Reply, sendIndex, sendStatus, serve } from './fake-registry.ts';
import {
  ACCEPT,
  BASIC,
  expectFailure,
  grantAll,
  identityFile,
  login,
  lookUp,
  passwordFile,
  TOKEN,
  testThatNoFailureHasSecrets,
  tokenRegistry,
} from './look-up-fixture.ts';

describe('a redirect', () => {
  /** A registry that challenges with `authenticate`, then sends the authorized elsewhere. */
  async function redirecting(t: TestContext, to: () => string, bearer: boolean) {
    return await serve(t, (received, response, request) => {
      if (received.path === '/token') return grantAll(received, response, request);
      if (received.authorization) return sendStatus(response, 307, { location: to() });
      const realm = `Bearer realm="http://${request.headers.host}/token"`;
      sendStatus(response, 401, { 'www-authenticate': bearer ? realm : 'Basic realm="r"' });
    });
  }

  for (const bearer of [true, false]) {
    test(`to another host loses the ${bearer ? 'token' : 'password'}`, async (t) => {
      const elsewhere = await serve(t, (received, response) => sendIndex(received, response));
      const to = () => `http://localhost:${elsewhere.port}/v2/x/manifests/1`;
      const server = await redirecting(t, to, bearer);
      login(server);
      const result = await lookUp(server, { authFiles: [passwordFile] });
      assert.equal(result.ok && result.value.digest, DIGEST);
      assert.equal(server.received.at(-1)?.authorization, bearer ? `Bearer ${TOKEN}` : BASIC);
      assert.equal(elsewhere.received.length, 1);
      assert.equal(elsewhere.received[0]?.authorization, undefined);
      assert.deepEqual(elsewhere.received[0]?.accept?.split(', '), ACCEPT);
    });
  }

  test('to another port of the host loses the password', async (t) => {
    const elsewhere = await serve(t, (received, response) => sendIndex(received, response));
    const server = await redirecting(t, () => `http://127.0.0.1:${elsewhere.port}/`, false);
    login(server);
    assert.ok((await lookUp(server, { authFiles: [passwordFile] })).ok);
    assert.equal(elsewhere.received[0]?.authorization, undefined);
  });

  test('to a host that wants a login of its own says that it got none', async (t) => {
    const elsewhere = await serve(t, (_received, response) => sendStatus(response, 401));
    const to = () => `http://127.0.0.1:${elsewhere.port}/v2/x/manifests/1`;
    const server = await redirecting(t, to, false);
    login(server);
    const options = { authFiles: [passwordFile] };
    const detail = await expectFailure('REGISTRY_UNAUTHORIZED', server, options);
    assert.match(detail, new RegExp(`^127.0.0.1:${elsewhere.port} .* asked without credentials`));
    assert.equal(elsewhere.received[0]?.authorization, undefined);
  });

  test('within the host keeps the token', async (t) => {
    const server = await serve(t, (received, response, request) => {
      if (received.path === '/v2/moved') {
        return received.authorization ? sendIndex(received, response) : sendStatus(response, 403);
      }
      if (received.authorization) return sendStatus(response, 302, { location: '/v2/moved' });
      tokenRegistry(grantAll)(received, response, request);
    });
    assert.ok((await lookUp(server)).ok);
    assert.equal(server.received.at(-1)?.authorization, `Bearer ${TOKEN}`);
  });

  test('to a host with a challenge of its own gets an anonymous token there', async (t) => {
    const elsewhere = await serve(t, tokenRegistry(grantAll));
    const server = await serve(t, (_received, response) =>
      sendStatus(response, 307, { location: `http://127.0.0.1:${elsewhere.port}/v2/x` }),
    );
    login(server);
    const result = await lookUp(server, { authFiles: [passwordFile] });
    assert.equal(result.ok && result.value.authenticated, false);
    assert.deepEqual(
      elsewhere.received.map(({ authorization }) => authorization),
      [undefined, undefined, `Bearer ${TOKEN}`],
    );
  });

  test('of the token endpoint to another host loses the password', async (t) => {
    const elsewhere = await serve(t, grantAll);
    const moved: Reply = (_received, response) =>
      sendStatus(response, 302, { location: `http://localhost:${elsewhere.port}/token` });
    const server = await serve(t, tokenRegistry(moved));
    login(server);
    assert.ok((await lookUp(server, { authFiles: [passwordFile] })).ok);
    assert.equal(server.received[1]?.authorization, BASIC);
    assert.equal(elsewhere.received[0]?.authorization, undefined);
  });

  test('of a request that carries an identity token is not followed', async (t) => {
    const elsewhere = await serve(t, grantAll);
    const moved: Reply = (_received, response) =>
      sendStatus(response, 307, { location: `http://127.0.0.1:${elsewhere.port}/token` });
    const server = await serve(t, tokenRegistry(moved));
    login(server);
    const options = { authFiles: [identityFile] };
    await expectFailure('REGISTRY_RESPONSE_INVALID', server, options);
    assert.equal(elsewhere.received.length, 0);
  });

  test('is followed three times and no more', async (t) => {
    let left = 3;
    const server = await serve(t, (received, response) => {
      left -= 1;
      if (left >= 0) return sendStatus(response, 302, { location: `/hop/${left}` });
      sendIndex(received, response);
    });
    assert.ok((await lookUp(server)).ok);
    left = 4;
    await expectFailure('REGISTRY_RESPONSE_INVALID', server);
    assert.equal(server.received.length, 8);
  });

  for (const location of ['', 'file:///etc/passwd', 'ftp://127.0.0.1/']) {
    test(`to "${location}" is refused`, async (t) => {
      const server = await serve(t, (_received, response) =>
        sendStatus(response, 302, location ? { location } : {}),
      );
      await expectFailure('REGISTRY_RESPONSE_INVALID', server);
      assert.equal(server.received.length, 1);
    });
  }
});

testThatNoFailureHasSecrets(5);
