import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { collect } from '../../../../app/updates/release/read-answer.ts';
import { type HttpLimits, openReleaseHttp } from '../../../../app/updates/release/release-http.ts';
import type { Outcome } from '../../../../shared/contract/outcome.ts';
import { ASSET, publish } from '../../../helpers/release.ts';
import type { Misbehaviour } from '../../../helpers/release-server.ts';
import {
  answerRaw,
  failureOf,
  fakeRelease,
  SHORT_LIMITS,
  serveReleases,
  USER_AGENT,
} from './release-fixture.ts';

/** Gets a URL with its whole body. */
async function get(
  t: TestContext,
  url: string,
  options: { authorization?: string; limits?: HttpLimits; signal?: AbortSignal } = {},
): Promise<Outcome<Buffer>> {
  const { limits = SHORT_LIMITS, authorization } = options;
  const { signal = new AbortController().signal } = options;
  const http = openReleaseHttp({ userAgent: USER_AGENT, signal, limits });
  t.after(() => http.close());
  const answer = await http.get({
    url: new URL(url),
    headers: {},
    ...(authorization !== undefined && { authorization }),
  });
  return answer.ok ? collect(answer.value.bytes, 10_000_000, 'It') : answer;
}

/** A server with a release of 100 kB, and where its program lies. */
async function serveOne(t: TestContext, how?: Misbehaviour) {
  const server = await serveReleases(t);
  const release = fakeRelease(server.folder, { version: '1.2.3', bytes: 100_000 });
  publish(server.folder, release);
  if (how) server.misbehave(how);
  return { server, url: `${server.mirrorUrl}/v1.2.3/${ASSET}` };
}

const redirectTo = (location: string) =>
  `HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`;

describe('redirects', () => {
  test('are followed five times and no further', async (t) => {
    const { url, server } = await serveOne(t, { kind: 'redirect-loop' });
    const { code, detail } = failureOf(await get(t, url));
    assert.equal(code, 'RELEASE_SOURCE_INVALID');
    assert.match(detail, /redirects more than 5 times/);
    assert.equal(server.received.length, 6);
    server.misbehave({ kind: 'redirect-loop' }, { times: 5 });
    assert.equal((await get(t, url)).ok, true);
  });

  for (const location of [
    'http://192.0.2.1/program',
    'ftp://127.0.0.1/program',
    'file:///etc/passwd',
    'https://user:secret@127.0.0.1/',
    'http://',
  ]) {
    test(`to ${location} are not followed`, async (t) => {
      const { code, detail } = failureOf(await get(t, await answerRaw(t, redirectTo(location))));
      assert.equal(code, 'RELEASE_SOURCE_INVALID');
      assert.match(detail, /redirects to where is not to be followed/);
      assert.doesNotMatch(detail, /secret/);
    });
  }

  test('without a place are not followed', async (t) => {
    const url = await answerRaw(t, 'HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n');
    assert.equal(failureOf(await get(t, url)).code, 'RELEASE_SOURCE_INVALID');
  });

  test('keep what is confidential within the origin', async (t) => {
    const { server, url } = await serveOne(t);
    const there = await serveReleases(t, { folder: server.folder });
    server.misbehave({ kind: 'redirect-to', url: url.replace(server.apiUrl, there.apiUrl) });
    assert.equal((await get(t, url, { authorization: 'Bearer zgeheim' })).ok, true);
    const sent = [...server.received, ...there.received].map(
      ({ headers }) => headers.authorization,
    );
    assert.deepEqual(sent, ['Bearer zgeheim', undefined]);
    // The mirror of the test takes no authorization either, and has noted that it came.
    assert.equal(server.faults.splice(0).length, 1);
  });

  test('keep it on the way to another path', async (t) => {
    const { server, url } = await serveOne(t);
    server.misbehave({ kind: 'redirect-to', url: `${url}?again` }, { times: 1 });
    assert.equal((await get(t, url, { authorization: 'Bearer zgeheim' })).ok, true);
    assert.deepEqual(
      server.received.map(({ headers }) => headers.authorization),
      ['Bearer zgeheim', 'Bearer zgeheim'],
    );
    assert.equal(server.faults.splice(0).length, 2);
  });
});

describe('limits', () => {
  test('a body that stalls is given up', async (t) => {
    const { url } = await serveOne(t, { kind: 'stall', afterBytes: 50_000 });
    const limits = { ...SHORT_LIMITS, pace: { bytes: 1, ms: 60_000 } };
    const { code, detail } = failureOf(await get(t, url, { limits }));
    assert.equal(code, 'RELEASE_SOURCE_UNREACHABLE');
    assert.match(detail, /did not answer in time \(UND_ERR_BODY_TIMEOUT\)/);
  });

  test('a body that comes one byte now and then is given up', async (t) => {
    const { url } = await serveOne(t, { kind: 'slow', afterBytes: 10_000, everyMs: 20 });
    const { code, detail } = failureOf(await get(t, url));
    assert.equal(code, 'RELEASE_SOURCE_UNREACHABLE');
    assert.match(detail, /sends too slowly/);
  });

  /** A host that takes connections and says nothing. */
  async function listenSilently(t: TestContext) {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const { port } = silent.address() as AddressInfo;
    return { silent, address: `127.0.0.1:${port}` };
  }

  test('a host that takes the connection and says nothing is given up', async (t) => {
    const { address } = await listenSilently(t);
    const { detail } = failureOf(await get(t, `http://${address}/`));
    assert.match(detail, /did not answer in time \(UND_ERR_HEADERS_TIMEOUT\)/);
  });

  test('a host with which no connection comes about is given up', async (t) => {
    const { address } = await listenSilently(t);
    const limits = { ...SHORT_LIMITS, connectMs: 300 };
    const { code, detail } = failureOf(await get(t, `https://${address}/`, { limits }));
    assert.equal(code, 'RELEASE_SOURCE_UNREACHABLE');
    assert.match(detail, /did not answer in time \(UND_ERR_CONNECT_TIMEOUT\)/);
  });

  test('who asks can stop it at once, before there is a connection too', async (t) => {
    const { silent, address } = await listenSilently(t);
    const stopping = new AbortController();
    silent.once('connection', () => stopping.abort());
    const limits = { ...SHORT_LIMITS, connectMs: 30_000 };
    const startedAt = performance.now();
    const stopped = await get(t, `https://${address}/`, { limits, signal: stopping.signal });
    assert.equal(failureOf(stopped).code, 'UPDATE_CANCELLED');
    assert.ok(performance.now() - startedAt < 10_000);
  });
});

describe('answers', () => {
  test('whose body is encoded are refused, for nobody asked for that', async (t) => {
    const { url } = await serveOne(t, { kind: 'gzip' });
    const { code, detail } = failureOf(await get(t, url));
    assert.equal(code, 'RELEASE_SOURCE_INVALID');
    assert.match(detail, /sends an encoded body although it was asked not to/);
  });

  test('that break off can be tried again', async (t) => {
    const { url } = await serveOne(t, { kind: 'cut', afterBytes: 50_000 });
    const { code, detail } = failureOf(await get(t, url));
    assert.equal(code, 'RELEASE_SOURCE_UNREACHABLE');
    assert.match(detail, /The connection to 127\.0\.0\.1:\d+ failed/);
  });

  for (const [title, bytes] of [
    ['are no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['have a head without an end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(10_000)}`],
  ] as const) {
    test(`that ${title} are refused`, async (t) => {
      const { code, detail } = failureOf(await get(t, await answerRaw(t, bytes)));
      assert.equal(code, 'RELEASE_SOURCE_INVALID');
      assert.match(detail, /does not keep to HTTP/);
    });
  }

  test('of which more comes than is wanted are left, and nothing is thrown afterwards', async (t) => {
    const { url } = await serveOne(t, { kind: 'endless' });
    const { code } = failureOf(await get(t, url));
    assert.equal(code, 'RELEASE_SOURCE_INVALID');
  });
});
