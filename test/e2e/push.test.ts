import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { addTag, childDigests, countStarts, pushImage, served, startUnit } from '../helpers/lab.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, type Push, post, type Schema } from '../helpers/webhook.ts';

/** From the post to the new version being served: five seconds, and the one that further deliveries are waited for. */
const DEPLOY_WITHIN_MS = 6_000;

describe('a push', () => {
  let product: Product;

  before(async () => {
    product = await Product.start({ PODUP_MANUAL_UNITS: 'web, twin.service, multi, other' });
  });
  after(() => product[Symbol.asyncDispose]());

  const hook = (unit: string) => `http://${product.address}/github-package-update/${unit}`;

  async function report(unit: string, schema: Schema, push: Push) {
    const body = makeBody(schema, push);
    return post(hook(unit), body, makeHeaders(schema, body));
  }

  const becomes = (port: number, version: string, withinMs = PATIENCE_MS) =>
    until(`port ${port} serves ${version}`, withinMs, async () => (await served(port)) === version);

  for (const [schema, path, version] of [
    ['registry_package', 'web', 'v2'],
    ['package', 'web', 'v3'],
    ['registry_package', 'web/redeploy', 'v4'],
  ] as const) {
    test(`that a signed ${schema} body reports to ${path} runs within six seconds, digests equal`, async () => {
      if (version === 'v2') {
        pushImage('web:stable', 'v1');
        startUnit('web', 'web:stable', 8081);
        await becomes(8081, 'v1');
      }
      const push = pushImage('web:stable', version);
      const mark = product.lines.length;
      const { status, answer } = await report(path, schema, push);
      assert.deepEqual([status, answer['verdict'], answer['matched']], [202, 'accepted', 'tag']);
      await becomes(8081, version, DEPLOY_WITHIN_MS);

      const task = await product.ended(mark);
      assert.equal(task.status, 'succeeded');
      const { digest } = push;
      assert.deepEqual(task.digests, {
        webhook: digest,
        registry: digest,
        pulled: digest,
        running: digest,
      });
      assert.equal(task.unit, 'web.service');
      const commands = task.logs.filter(({ action }) => action === 'command');
      const argvs = commands.map(({ meta }) => (meta as { argv: string[] }).argv.join(' '));
      assert.ok(
        argvs.some((argv) => argv === `podman pull --quiet -- ${push.repository}@${digest}`),
      );
      assert.ok(argvs.includes('systemctl --user restart -- web.service'));
      for (const { meta } of commands) {
        const { kind, code, status, method, duration_ms } = meta as Record<string, unknown>;
        const isThere = kind === 'answered' && [200, 201, 204].includes(Number(status));
        // A look at what is not here yet.
        const isAnswer = isThere || (kind === 'answered' && method === 'GET' && status === 404);
        assert.ok(isAnswer || (kind === 'exited' && code === 0), JSON.stringify(meta));
        assert.equal(typeof duration_ms, 'number');
      }
      assert.equal(countStarts('web.service', version), 1);
    });
  }

  test('of two tags updates a unit on the second tag, although the event names the first', async () => {
    const first = pushImage('twin:sha-1', 'v1');
    await addTag(first, 'stable');
    startUnit('twin', 'twin:stable', 8082);
    await becomes(8082, 'v1');

    const push = pushImage('twin:sha-2', 'v2');
    await addTag(push, 'stable');
    const mark = product.lines.length;
    const { status, answer } = await report('twin', 'registry_package', push);
    assert.deepEqual([status, answer['matched']], [202, 'repository']);
    await becomes(8082, 'v2', DEPLOY_WITHIN_MS);
    const task = await product.ended(mark);
    assert.equal(task.status, 'succeeded');
    assert.equal(task.digests.running, push.digest);
    assert.equal(task.digests.webhook, null);
  });

  test('of a multi-arch index with events for its parts is deployed exactly once', async () => {
    pushImage('multi:stable', 'v1', '--index');
    startUnit('multi', 'multi:stable', 8083);
    await becomes(8083, 'v1');

    const index = pushImage('multi:stable', 'v2', '--index');
    const children = await childDigests(index);
    assert.ok(children.length > 0);
    const mark = product.lines.length;
    for (const digest of children) {
      const { status, answer } = await report('multi', 'registry_package', {
        ...index,
        tag: '',
        digest,
      });
      assert.deepEqual([status, answer['reason']], [202, 'untagged-child']);
    }
    assert.equal((await report('multi', 'registry_package', index)).status, 202);
    for (const digest of children) {
      await report('multi', 'package', { ...index, tag: '', digest });
    }
    await becomes(8083, 'v2', DEPLOY_WITHIN_MS);
    const task = await product.ended(mark);
    assert.equal(task.status, 'succeeded');
    assert.deepEqual(
      Object.values(task.digests).map((digest) => digest === index.digest),
      [true, true, true, true],
    );
    const tasks = (await product.tasks()).filter(({ unit }) => unit === 'multi.service');
    assert.equal(tasks.length, 1);
    assert.equal(countStarts('multi.service', 'v2'), 1);
  });

  test('that runs already is skipped, and a redelivery of it is a duplicate', async () => {
    const push = pushImage('web:stable', 'v4');
    const body = makeBody('registry_package', push);
    const mark = product.lines.length;
    const headers = makeHeaders('registry_package', body);
    assert.equal((await post(hook('web'), body, headers)).status, 202);
    assert.equal((await product.ended(mark)).status, 'skipped');
    const again = await post(hook('web'), body, headers);
    assert.deepEqual([again.status, again.answer['verdict']], [200, 'duplicate']);
    assert.equal(countStarts('web.service', 'v4'), 1);
  });

  test('of another image, or for a unit that is not configured, touches nothing', async () => {
    const starts = countStarts('web.service', 'v4');
    const other = pushImage('other:stable', 'v9');
    const differs = await report('web', 'registry_package', other);
    assert.deepEqual([differs.status, differs.answer['reason']], [202, 'unit-image-differs']);
    const unknown = await report('lab-registry', 'registry_package', other);
    assert.deepEqual([unknown.status, unknown.answer['reason']], [202, 'unit-unknown']);
    const missing = await report('other', 'registry_package', other);
    assert.deepEqual([missing.status, missing.answer['reason']], [202, 'unit-not-found']);
    assert.equal((await product.tasks()).length, 6);
    assert.equal(await served(8081), 'v4');
    assert.equal(countStarts('web.service', 'v4'), starts);
  });
});
