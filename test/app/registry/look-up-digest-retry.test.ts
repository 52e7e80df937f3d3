import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { retryUnavailable } from '../../../app/registry/retry-unavailable.ts';
import { succeed } from '../../../shared/contract/outcome.ts';
import { DIGEST, type Reply, sendIndex, sendStatus, serve } from './fake-registry.ts';
import {
  BASIC,
  expectFailure,
  grantAll,
  identityFile,
  login,
  lookUp,
  methods,
  passwordFile,
  testThatNoFailureHasSecrets,
  tokenRegistry,
} from './look-up-fixture.ts';

/** Answers like `reply`, but the first `times` with that status. */
function failFirst(times: number, status: number, reply: Reply): Reply {
  let left = times;
  return (received, response, request) => {
    left--;
    if (left >= 0) return sendStatus(response, status);
    reply(received, response, request);
  };
}

const sendWell: Reply = (received, response) => sendIndex(received, response);

describe('a registry that cannot answer now', () => {
  for (const status of [500, 502, 503, 504])
    test(`is asked again after ${status}, three times at most`, async (t) => {
      const server = await serve(t, failFirst(3, status, sendWell));
      const result = await lookUp(server);
      assert.equal(result.ok && result.value.digest, DIGEST);
      assert.deepEqual(methods(server), ['HEAD', 'HEAD', 'HEAD', 'HEAD']);
      const dead = await serve(t, failFirst(9, status, sendWell));
      const detail = await expectFailure('REGISTRY_RESPONSE_INVALID', dead);
      assert.match(detail, new RegExp(` answered ${status} for the manifest of `));
      assert.equal(dead.received.length, 4);
    });

  for (const status of [400, 404, 429, 501, 505])
    test(`is not asked again after ${status}`, async (t) => {
      const server = await serve(t, failFirst(1, status, sendWell));
      assert.ok(!(await lookUp(server)).ok);
      assert.equal(server.received.length, 1);
    });

  test('is asked again three times however many requests the look-up takes', async (t) => {
    const server = await serve(
      t,
      tokenRegistry((_received, response) => sendStatus(response, 502)),
    );
    const detail = await expectFailure('REGISTRY_RESPONSE_INVALID', server);
    assert.match(detail, /token endpoint .* answered 502/);
    assert.equal(server.received.length, 5);
    let count = 0;
    const each: Reply = (received, response) => {
      count++;
      if (count % 2 === 1) return sendStatus(response, 503);
      sendStatus(response, 302, { location: `${received.path}x` });
    };
    await expectFailure('REGISTRY_RESPONSE_INVALID', await serve(t, each));
    assert.equal(count, 7);
  });

  test('is not sent an identity token again', async (t) => {
    const server = await serve(
      t,
      tokenRegistry((_received, response) => sendStatus(response, 503)),
    );
    login(server);
    await expectFailure('REGISTRY_RESPONSE_INVALID', server, { authFiles: [identityFile] });
    assert.deepEqual(methods(server), ['HEAD', 'POST']);
  });

  test('keeps the credentials when it is asked again, and no other does', async (t) => {
    const elsewhere = await serve(t, failFirst(1, 503, sendWell));
    const moved: Reply = (received, response) =>
      received.authorization
        ? sendStatus(response, 307, { location: `http://localhost:${elsewhere.port}/` })
        : sendStatus(response, 401, { 'www-authenticate': 'Basic realm="r"' });
    const server = await serve(t, failFirst(1, 503, moved));
    login(server);
    assert.ok((await lookUp(server, { authFiles: [passwordFile] })).ok);
    const sent = ({ received }: typeof server) => received.map((each) => each.authorization);
    assert.deepEqual(sent(server), [undefined, undefined, BASIC]);
    assert.deepEqual(sent(elsewhere), [undefined, undefined]);
  });

  test('is told by its answer where the limit runs out in a pause', async (t) => {
    const server = await serve(t, (_received, response) => sendStatus(response, 503));
    const options = { timeoutMs: 300, retryPauseMs: 3_600_000 };
    const detail = await expectFailure('REGISTRY_RESPONSE_INVALID', server, options);
    assert.match(detail, / answered 503 /);
    assert.equal(server.received.length, 1);
  });

  test('is given up in a pause when the caller does', async () => {
    const caller = new AbortController();
    const why = new Error('the task was stopped');
    const url = new URL('http://127.0.0.1/');
    const answer = { status: 503, url, header: () => undefined, body: Buffer.alloc(0) };
    const exchange = retryUnavailable(
      () => {
        // By then the pause has begun.
        setImmediate(() => caller.abort(why));
        return Promise.resolve(succeed(answer));
      },
      caller.signal,
      3_600_000,
    );
    await assert.rejects(exchange({ method: 'GET', url, maxBodyBytes: 1 }), why);
  });
});

test('a rate limit of the token endpoint says until when, too', async (t) => {
  const limited = { 'retry-after': '120' };
  const server = await serve(
    t,
    tokenRegistry((received, response, request) =>
      received.path === '/token'
        ? sendStatus(response, 429, limited)
        : grantAll(received, response, request),
    ),
  );
  const result = await lookUp(server);
  assert.ok(!result.ok);
  assert.equal(result.failure.code, 'REGISTRY_RATE_LIMITED');
  assert.equal(result.failure.retryAfterMs, 120_000);
});

testThatNoFailureHasSecrets(14);
