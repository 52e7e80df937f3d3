import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { addTag, countStarts, pushImage, startUnit } from '../helpers/lab.ts';
import { untilServed } from '../helpers/lab-units.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, post } from '../helpers/webhook.ts';

describe('a push of several tags, of which the delivery names one', () => {
  let product: Product;

  before(async () => {
    const former = pushImage('many:stable', 'v1');
    await addTag(former, 'edge');
    await addTag(former, 'old');
    for (const [at, tag] of ['stable', 'edge', 'old'].entries()) {
      startUnit(tag, `many:${tag}`, 8081 + at);
      await untilServed(8081 + at, 'v1');
    }
    product = await Product.start({ PODUP_MANUAL_UNITS: 'stable, edge, old' });
  });
  after(() => product[Symbol.asyncDispose]());

  test('is deployed for the units on each tag that has moved, once, and for no other', async () => {
    const push = pushImage('many:stable', 'v2');
    await addTag(push, 'edge');
    const body = makeBody('registry_package', push);
    const url = `http://${product.address}/github-package-update/stable`;
    assert.equal((await post(url, body, makeHeaders('registry_package', body))).status, 202);
    await untilServed(8081, 'v2');
    await untilServed(8082, 'v2');
    const tasks = await until('all tasks have ended', PATIENCE_MS, async () => {
      const all = await product.tasks();
      return all.every(({ finished_at: at }) => at !== null) && all;
    });
    const deployed = tasks.filter(({ kind }) => kind !== 'maintenance');
    assert.deepEqual(
      deployed.map(({ unit, status, digests }) => [unit, status, digests.running]).sort(),
      ['edge', 'stable'].map((name) => [`${name}.service`, 'succeeded', push.digest]),
    );
    const edge = deployed.find(({ unit }) => unit === 'edge.service');
    assert.match(edge?.trigger.caller ?? '', /^dlv_/);
    assert.equal(edge?.trigger.reason, `a push of ${push.repository}:stable`);
    for (const name of ['stable', 'edge'])
      assert.equal(countStarts(`${name}.service`, 'v2'), 1, name);
    assert.equal(countStarts('old.service', 'v1'), 1);
  });
});
