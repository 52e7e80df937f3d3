import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ServicesView, ServiceView } from '../../app/api/service-views.ts';
import { pushImage, served, startUnit } from '../helpers/lab.ts';
import { containerUnit, startUnits } from '../helpers/lab-units.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders, type Push, post } from '../helpers/webhook.ts';

const PORT = 8091;

function deliver(product: Product, unit: string, push: Push) {
  const body = makeBody('package', push);
  const url = `http://${product.address}/github-package-update/${unit}`;
  return post(url, body, makeHeaders('package', body));
}

describe('a host with units that nobody has listed', () => {
  let product: Product;
  before(async () => {
    pushImage('auto:stable', 'v1');
    // With the label that asks for updates.
    startUnit('auto', 'auto:stable', PORT);
    await until('v1', PATIENCE_MS, async () => (await served(PORT)) === 'v1');
    product = await Product.start({ PODUP_AUTO_DISCOVER: '1' });
  });
  after(() => product[Symbol.asyncDispose]());

  const find = (name: string) =>
    until(name, PATIENCE_MS, async (): Promise<ServiceView | undefined> => {
      const { services } = await product.api<ServicesView>('/api/manual/services');
      return services.find(({ slug }) => slug === name);
    });

  test('finds one that asks for it by itself, and brings it what was pushed', async () => {
    const found = await find('auto');
    assert.deepEqual([found.source, found.may.webhook.allowed], ['discovered', true]);
    const push = pushImage('auto:stable', 'v2');
    const mark = product.lines.length;
    const { status, answer } = await deliver(product, 'auto', push);
    assert.deepEqual([status, answer['verdict']], [202, 'accepted'], JSON.stringify(answer));
    const task = await product.ended(mark);
    assert.equal(task.status, 'succeeded', JSON.stringify(task));
    assert.equal(task.digests.running, push.digest);
    assert.equal(await served(PORT), 'v2');
  });

  test('sees one that is made meanwhile, which no webhook may touch as long as it says nothing', async () => {
    const push = pushImage('quiet:stable', 'v1');
    startUnits(containerUnit('quiet', { image: 'quiet:stable' }));
    const found = await find('quiet');
    assert.deepEqual(
      [found.may.person.allowed, found.may.webhook],
      [true, { allowed: false, reason: 'not-opted-in' }],
    );
    const refused = await deliver(product, 'quiet', push);
    assert.deepEqual([refused.status, refused.answer['reason']], [202, 'unit-not-opted-in']);
    const strange = await deliver(product, 'lab-registry', push);
    assert.deepEqual([strange.status, strange.answer['reason']], [202, 'unit-unknown']);
    const asked = await product.post('/api/manual/trigger', { units: ['lab-registry'] });
    assert.equal(asked.status, 404);
  });
});
