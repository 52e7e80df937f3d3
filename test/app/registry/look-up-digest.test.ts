import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lookUpDigest } from '../../../app/registry/look-up-digest.ts';
import { parseRegistryRules } from '../../../app/registry/registry-rules.ts';
import type { Failure } from '../../../shared/contract/outcome.ts';
import {
  DIGEST,
  digestOf,
  INDEX,
  INDEX_TYPE,
  type Reply,
  sendIndex,
  sendStatus,
  serve,
} from './fake-registry.ts';
import {
  ACCEPT,
  expectFailure,
  imageAt,
  lookUp,
  methods,
  testThatNoFailureHasSecrets,
} from './look-up-fixture.ts';

describe('a look-up without a login', () => {
  test('asks by HEAD for the four manifest types', async (t) => {
    const server = await serve(t, (received, response) => sendIndex(received, response));
    assert.deepEqual(await lookUp(server), {
      ok: true,
      value: {
        digest: DIGEST,
        mediaType: INDEX_TYPE,
        endpoint: `http://127.0.0.1:${server.port}`,
        authenticated: false,
        method: 'HEAD',
      },
    });
    const [sent] = server.received;
    assert.equal(server.received.length, 1);
    assert.equal(sent?.path, '/v2/acme/app/manifests/stable');
    assert.deepEqual(sent?.accept?.split(', '), ACCEPT);
    assert.equal(sent?.authorization, undefined);
    assert.equal(sent?.userAgent, 'podup-test/1');
  });

  test('asks for the place that a rule of the host names', async (t) => {
    const server = await serve(t, (received, response) => sendIndex(received, response));
    const Location = `127.0.0.1:${server.port}/mirror/of`;
    const registries = parseRegistryRules({ 'ghcr.io/acme': { Location, Insecure: true } });
    const image = { registry: 'ghcr.io', repository: 'acme/app' };
    const options = { registries, authFiles: [], timeoutMs: 20_000, userAgent: 'x' };
    const result = await lookUpDigest(image, options);
    assert.ok(result.ok);
    assert.equal(server.received[0]?.path, '/v2/mirror/of/app/manifests/latest');
  });

  test('asks for the digest where the image has no tag', async (t) => {
    const server = await serve(t, (received, response) => sendIndex(received, response));
    const { registry, repository } = imageAt(server);
    const registries = parseRegistryRules({ [registry]: { Insecure: true } });
    const options = { registries, authFiles: [], timeoutMs: 20_000, userAgent: 'x' };
    assert.ok((await lookUpDigest({ registry, repository, digest: DIGEST }, options)).ok);
    assert.equal(server.received[0]?.path, `/v2/acme/app/manifests/${DIGEST}`);
  });

  test('asks Docker Hub at the host of its registry', async () => {
    const image = { registry: 'docker.io', repository: 'library/nginx' };
    const signal = AbortSignal.abort(new DOMException('over', 'TimeoutError'));
    const options = { registries: [], authFiles: [], timeoutMs: 20_000, userAgent: 'x', signal };
    const result = await lookUpDigest(image, options);
    assert.ok(!result.ok);
    assert.match(result.failure.detail, /^registry-1\.docker\.io /);
  });

  const noDigest: Reply = (received, response) => {
    response.writeHead(200, { 'content-type': `${INDEX_TYPE}; charset=utf-8` });
    response.end(received.method === 'HEAD' ? undefined : INDEX);
  };
  const noHead: Reply = (received, response) =>
    received.method === 'HEAD' ? sendStatus(response, 405) : sendIndex(received, response);
  const noType: Reply = (received, response) =>
    received.method === 'HEAD'
      ? sendStatus(response, 200, { 'docker-content-digest': DIGEST })
      : sendIndex(received, response);
  for (const [title, reply] of [
    ['a registry that names no digest gets its bytes hashed', noDigest],
    ['a registry without HEAD is asked by GET', noHead],
    ['a registry that names no type is asked by GET', noType],
  ] as const) {
    test(title, async (t) => {
      const server = await serve(t, reply);
      const result = await lookUp(server);
      assert.ok(result.ok);
      assert.equal(result.value.digest, digestOf(INDEX));
      assert.equal(result.value.mediaType, INDEX_TYPE);
      assert.equal(result.value.method, 'GET');
      assert.deepEqual(methods(server), ['HEAD', 'GET']);
      assert.equal(server.received[1]?.accept, ACCEPT.join(', '));
    });
  }

  const other = digestOf('other');
  const flood = (response: Parameters<Reply>[1], bytes: number) => {
    response.writeHead(200, { 'content-type': INDEX_TYPE });
    response.end(Buffer.alloc(bytes, 'x'));
  };
  const getOnly =
    (reply: Reply): Reply =>
    (received, response, request) =>
      received.method === 'HEAD' ? sendStatus(response, 405) : reply(received, response, request);
  const failing: readonly (readonly [title: string, code: Failure['code'], reply: Reply])[] = [
    ['a malformed digest', 'REGISTRY_RESPONSE_INVALID', (r, s) => sendIndex(r, s, 'sha256:abc')],
    [
      'a digest of another algorithm',
      'REGISTRY_RESPONSE_INVALID',
      (r, s) => sendIndex(r, s, `sha512:${'a'.repeat(128)}`),
    ],
    [
      'a digest that its body does not have',
      'REGISTRY_RESPONSE_INVALID',
      getOnly((r, s) => sendIndex(r, s, other)),
    ],
    [
      'a page instead of a manifest',
      'REGISTRY_RESPONSE_INVALID',
      (_r, s) => sendStatus(s, 200, { 'content-type': 'text/html' }),
    ],
    [
      'an encoded body',
      'REGISTRY_RESPONSE_INVALID',
      getOnly((_r, s) =>
        sendStatus(s, 200, { 'content-type': INDEX_TYPE, 'content-encoding': 'gzip' }),
      ),
    ],
    [
      'a manifest of more than 4 MiB',
      'REGISTRY_RESPONSE_INVALID',
      getOnly((_r, s) => flood(s, 4_194_305)),
    ],
    [
      'a body shorter than announced',
      'REGISTRY_UNREACHABLE',
      getOnly((_r, s) => {
        s.writeHead(200, { 'content-type': INDEX_TYPE, 'content-length': '1000' });
        s.write('{', () => s.destroy());
      }),
    ],
    ['403', 'REGISTRY_UNAUTHORIZED', (_r, s) => sendStatus(s, 403)],
    ['404', 'REGISTRY_IMAGE_NOT_FOUND', (_r, s) => sendStatus(s, 404)],
    ['500', 'REGISTRY_RESPONSE_INVALID', (_r, s) => sendStatus(s, 500)],
    ['503', 'REGISTRY_RESPONSE_INVALID', (_r, s) => sendStatus(s, 503)],
    ['204', 'REGISTRY_RESPONSE_INVALID', (_r, s) => sendStatus(s, 204)],
    ['405 to GET too', 'REGISTRY_RESPONSE_INVALID', (_r, s) => sendStatus(s, 405)],
    ['401 without a challenge', 'REGISTRY_UNAUTHORIZED', (_r, s) => sendStatus(s, 401)],
    [
      'a header of more than 16 KiB',
      'REGISTRY_RESPONSE_INVALID',
      (_r, s) => sendStatus(s, 404, { 'x-pad': 'x'.repeat(20_000) }),
    ],
    [
      'what is not HTTP',
      'REGISTRY_RESPONSE_INVALID',
      (_r, s) => s.socket?.end('NONSENSE 1 2 3\r\n\r\n'),
    ],
  ];
  for (const [title, code, reply] of failing) {
    test(`${title} is ${code}`, async (t) => {
      await expectFailure(code, await serve(t, reply));
    });
  }

  test('a manifest of exactly 4 MiB is hashed', async (t) => {
    const server = await serve(
      t,
      getOnly((_r, s) => flood(s, 4_194_304)),
    );
    const result = await lookUp(server);
    assert.equal(result.ok && result.value.digest, digestOf('x'.repeat(4_194_304)));
  });

  for (const [title, value, said] of [
    ['seconds', '331', ' Retry-After: 331.'],
    ['a date', 'Wed, 21 Oct 2026 07:28:00 GMT', ' Retry-After: Wed, 21 Oct 2026 07:28:00 GMT.'],
    ['what could be anything', 'zgeheim', ''],
  ] as const) {
    test(`429 tells when to come back: ${title}`, async (t) => {
      const server = await serve(t, (_received, response) =>
        sendStatus(response, 429, { 'retry-after': value }),
      );
      const detail = await expectFailure('REGISTRY_RATE_LIMITED', server);
      assert.ok(detail.endsWith(`asked without credentials.${said}`), detail);
    });
  }
});

testThatNoFailureHasSecrets(15);
