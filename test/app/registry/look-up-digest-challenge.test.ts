import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Failure } from '../../../shared/contract/outcome.ts';
import {
  DIGEST,
  type Received,
  type Reply,
  sendIndex,
  sendJson,
  sendStatus,
  serve,
} from './fake-registry.ts';
import {
  BASIC,
  expectFailure,
  folder,
  grantAll,
  IDENTITY,
  identityFile,
  login,
  lookUp,
  methods,
  PASSWORD,
  passwordFile,
  TOKEN,
  testThatNoFailureHasSecrets,
  tokenRegistry,
} from './look-up-fixture.ts';

describe('a challenge', () => {
  test('is answered anonymously where nothing is stored', async (t) => {
    const server = await serve(t, tokenRegistry(grantAll));
    const result = await lookUp(server, { authFiles: [join(folder, 'missing.json')] });
    assert.ok(result.ok);
    assert.equal(result.value.digest, DIGEST);
    assert.equal(result.value.authenticated, false);
    assert.ok(!('authFile' in result.value));
    const [first, token, second] = server.received as [Received, Received, Received];
    assert.deepEqual(methods(server), ['HEAD', 'GET', 'HEAD']);
    assert.equal(first.authorization, undefined);
    assert.deepEqual(
      [...token.query],
      [
        ['scope', 'repository:acme/app:pull'],
        ['service', 'reg, istry'],
      ],
    );
    assert.equal(token.authorization, undefined);
    assert.equal(second.authorization, `Bearer ${TOKEN}`);
  });

  test('is answered with the stored password', async (t) => {
    const grant: Reply = ({ authorization }, response) =>
      authorization === BASIC
        ? sendJson(response, 200, { access_token: TOKEN })
        : sendStatus(response, 401);
    const server = await serve(t, tokenRegistry(grant, '/token?tenant=a'));
    login(server);
    const secrets: string[] = [];
    const onSecret = (secret: string) => secrets.push(secret);
    const result = await lookUp(server, { authFiles: [passwordFile], onSecret });
    assert.ok(result.ok);
    assert.deepEqual(secrets, [PASSWORD, TOKEN]);
    assert.equal(result.value.authenticated, true);
    assert.equal(result.value.authFile, passwordFile);
    assert.equal(server.received[1]?.query.get('tenant'), 'a');
    assert.deepEqual(methods(server), ['HEAD', 'GET', 'HEAD']);
  });

  test('is answered with an identity token in a body', async (t) => {
    const server = await serve(t, tokenRegistry(grantAll, '/token?tenant=a'));
    login(server);
    const secrets: string[] = [];
    const onSecret = (secret: string) => secrets.push(secret);
    const result = await lookUp(server, { authFiles: [identityFile], onSecret });
    assert.deepEqual(secrets, [IDENTITY, TOKEN]);
    assert.equal(result.ok && result.value.authenticated, true);
    const sent = server.received[1];
    assert.equal(sent?.method, 'POST');
    assert.deepEqual(Object.fromEntries(sent?.query ?? []), { tenant: 'a' });
    assert.deepEqual(Object.fromEntries(new URLSearchParams(sent?.body)), {
      grant_type: 'refresh_token',
      refresh_token: IDENTITY,
      client_id: 'pod-upgrade-trigger',
      service: 'reg, istry',
      scope: 'repository:acme/app:pull',
    });
  });

  const basic: Reply = (received, response) =>
    received.authorization === BASIC
      ? sendIndex(received, response)
      : sendStatus(response, 401, { 'www-authenticate': 'bAsIc realm="r"' });

  test('by Basic is answered with the stored password', async (t) => {
    const server = await serve(t, basic);
    login(server);
    const result = await lookUp(server, { authFiles: [passwordFile] });
    assert.equal(result.ok && result.value.authFile, passwordFile);
    assert.deepEqual(methods(server), ['HEAD', 'HEAD']);
  });

  for (const [title, files] of [
    ['nothing', []],
    ['only an identity token', [identityFile]],
  ] as const) {
    test(`by Basic fails where ${title} is stored`, async (t) => {
      const server = await serve(t, basic);
      login(server);
      await expectFailure('REGISTRY_UNAUTHORIZED', server, { authFiles: files });
      assert.deepEqual(methods(server), ['HEAD']);
    });
  }

  test('of a later GET is answered too, once', async (t) => {
    const inner = tokenRegistry(grantAll);
    const server = await serve(t, (received, response, request) =>
      received.method === 'HEAD' ? sendStatus(response, 405) : inner(received, response, request),
    );
    const result = await lookUp(server);
    assert.equal(result.ok && result.value.method, 'GET');
    assert.deepEqual(methods(server), ['HEAD', 'GET', 'GET', 'GET']);
  });

  test('that follows the answer to another is final', async (t) => {
    const inner = tokenRegistry(grantAll);
    const server = await serve(t, (received, response, request) => {
      if (received.path === '/token' || !received.authorization) {
        return inner(received, response, request);
      }
      if (received.method === 'HEAD') return sendStatus(response, 405);
      inner({ ...received, authorization: undefined }, response, request);
    });
    await expectFailure('REGISTRY_UNAUTHORIZED', server);
    assert.deepEqual(methods(server), ['HEAD', 'GET', 'HEAD', 'GET']);
  });

  for (const [title, file, status] of [
    ['a refused password', passwordFile, 401],
    ['a forbidden password', passwordFile, 403],
    ['an expired identity token', identityFile, 400],
  ] as const) {
    test(`with ${title} fails instead of going on anonymously`, async (t) => {
      const refuse: Reply = (_received, response) => sendStatus(response, status);
      const server = await serve(t, tokenRegistry(refuse));
      login(server);
      const detail = await expectFailure('REGISTRY_UNAUTHORIZED', server, { authFiles: [file] });
      assert.ok(detail.includes(file), detail);
      assert.equal(server.received.length, 2);
    });
  }

  test('that is repeated to the token is final', async (t) => {
    const server = await serve(t, (received, response, request) =>
      received.path === '/token'
        ? grantAll(received, response, request)
        : sendStatus(response, 401, {
            'www-authenticate': `Bearer realm="http://${request.headers.host}/token"`,
          }),
    );
    await expectFailure('REGISTRY_UNAUTHORIZED', server);
    assert.deepEqual(methods(server), ['HEAD', 'GET', 'HEAD']);
  });

  test('with an unreadable credentials file names the file', async (t) => {
    const server = await serve(t, tokenRegistry(grantAll));
    writeFileSync(passwordFile, `{"auths": ${PASSWORD}`);
    const code = 'REGISTRY_CREDENTIALS_UNREADABLE';
    const detail = await expectFailure(code, server, { authFiles: [passwordFile] });
    assert.ok(detail.includes(passwordFile));
  });

  const challenges: readonly (readonly [title: string, code: Failure['code'], header: string])[] = [
    ['that is garbage', 'REGISTRY_RESPONSE_INVALID', 'Bearer realm="http://'],
    ['without a realm', 'REGISTRY_RESPONSE_INVALID', 'Bearer service="x"'],
    ['whose realm is no URL', 'REGISTRY_RESPONSE_INVALID', 'Bearer realm="/token"'],
    ['whose realm is a file', 'REGISTRY_RESPONSE_INVALID', 'Bearer realm="file:///etc/passwd"'],
    ['of another scheme', 'REGISTRY_UNAUTHORIZED', 'Negotiate, Digest realm="x"'],
  ];
  for (const [title, code, header] of challenges) {
    test(`${title} is ${code}`, async (t) => {
      const server = await serve(t, (_received, response) =>
        sendStatus(response, 401, { 'www-authenticate': header }),
      );
      login(server);
      await expectFailure(code, server, { authFiles: [passwordFile] });
      assert.deepEqual(methods(server), ['HEAD']);
    });
  }

  const grants: readonly (readonly [title: string, code: Failure['code'], grant: Reply])[] = [
    [
      'of more than 64 KiB',
      'REGISTRY_RESPONSE_INVALID',
      (_r, s) => sendJson(s, 200, { token: TOKEN, pad: 'x'.repeat(65_536) }),
    ],
    ['that is not JSON', 'REGISTRY_RESPONSE_INVALID', (_r, s) => s.end(TOKEN)],
    [
      'without a token',
      'REGISTRY_RESPONSE_INVALID',
      (_r, s) => sendJson(s, 200, { expires_in: 60 }),
    ],
    ['that is null', 'REGISTRY_RESPONSE_INVALID', (_r, s) => sendJson(s, 200, null)],
    [
      'whose token would break the header',
      'REGISTRY_RESPONSE_INVALID',
      (_r, s) => sendJson(s, 200, { token: `${TOKEN}\r\nX: y` }),
    ],
    ['of status 404', 'REGISTRY_RESPONSE_INVALID', (_r, s) => sendStatus(s, 404)],
    ['of status 501', 'REGISTRY_RESPONSE_INVALID', (_r, s) => sendStatus(s, 501)],
    ['of status 429', 'REGISTRY_RATE_LIMITED', (_r, s) => sendStatus(s, 429)],
    ['of status 401 to nobody', 'REGISTRY_UNAUTHORIZED', (_r, s) => sendStatus(s, 401)],
  ];
  for (const [title, code, grant] of grants) {
    test(`with a token answer ${title} is ${code}`, async (t) => {
      const server = await serve(t, tokenRegistry(grant));
      await expectFailure(code, server);
      assert.deepEqual(methods(server), ['HEAD', 'GET']);
    });
  }
});

testThatNoFailureHasSecrets(15);
