import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lookUpDigest } from '../../../app/registry/look-up-digest.ts';
import { parseRegistryRules } from '../../../app/registry/registry-rules.ts';
import { INDEX_TYPE, type Reply, sendIndex, sendStatus, serve } from './fake-registry.ts';
import {
  expectFailure,
  imageAt,
  lookUp,
  testThatNoFailureHasSecrets,
  tokenRegistry,
} from './look-up-fixture.ts';

describe('a registry that cannot be reached', () => {
  test('is told by a refused connection', async (t) => {
    const server = await serve(t, () => {});
    const closed = { ...server, port: 1 };
    const detail = await expectFailure('REGISTRY_UNREACHABLE', closed);
    assert.match(detail, /By https: .*ECONNREFUSED.* By http: .*ECONNREFUSED/);
  });

  test('is told by a name that does not exist', async () => {
    const image = { registry: 'registry.invalid', repository: 'x', tag: '1' };
    const options = { registries: [], authFiles: [], timeoutMs: 20_000, userAgent: 'x' };
    const result = await lookUpDigest(image, options);
    assert.ok(!result.ok);
    assert.equal(result.failure.code, 'REGISTRY_UNREACHABLE');
  });

  test('or a blocked one is not asked', async (t) => {
    const server = await serve(t, (received, response) => sendIndex(received, response));
    const registries = parseRegistryRules({ [imageAt(server).registry]: { Blocked: true } });
    await expectFailure('REGISTRY_BLOCKED', server, { registries });
    assert.equal(server.connections(), 0);
  });

  const slow: readonly (readonly [title: string, reply: Reply])[] = [
    ['says nothing', () => {}],
    [
      'never ends its body',
      (received, response) => {
        response.writeHead(200, { 'content-type': INDEX_TYPE });
        if (received.method === 'HEAD') response.end();
        else response.write('{');
      },
    ],
    ['never hands out the token', tokenRegistry(() => {})],
    [
      'never ends its refusal',
      (received, response) => {
        if (received.method === 'HEAD') return sendStatus(response, 405);
        response.writeHead(404);
        response.write('x');
      },
    ],
  ];
  for (const [title, reply] of slow) {
    test(`because it ${title} is given up in time`, async (t) => {
      const startedAt = performance.now();
      const { signal } = new AbortController();
      const options = { timeoutMs: 300, signal };
      await expectFailure('REGISTRY_TIMEOUT', await serve(t, reply), options);
      assert.ok(performance.now() - startedAt < 2_000);
    });
  }

  test('is given up when the caller does', async (t) => {
    const caller = new AbortController();
    const why = new Error('the task was stopped');
    const server = await serve(t, () => caller.abort(why));
    await assert.rejects(lookUp(server, { signal: caller.signal }), why);
  });
});

testThatNoFailureHasSecrets(6);
