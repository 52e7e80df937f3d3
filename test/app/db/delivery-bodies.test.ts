import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

test('bodies come back as they were, small or large, and the first word about one counts', (t) => {
  const { deliveryBodies: bodies } = openTestStore(t, makeTempFolder(t)).store;
  const large = Buffer.from('{"a":"é"}'.repeat(10_000));
  bodies.keep('dlv_1', 1, Buffer.from('{}'));
  bodies.keep('dlv_2', 1, large);
  bodies.keep('dlv_2', 1, Buffer.from('another'));
  assert.deepEqual(bodies.find('dlv_1'), Buffer.from('{}'));
  assert.deepEqual(bodies.find('dlv_2'), large);
  assert.deepEqual([bodies.has('dlv_2'), bodies.has('dlv_3')], [true, false]);
});

test('the oldest go where all together are more than 64 MiB, and one of more than 1 MiB is not kept', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const body = randomBytes(900_000);
  store.transact(() => {
    for (let index = 0; index < 80; index++) store.deliveryBodies.keep(`dlv_${index}`, index, body);
  });
  const kept = Array.from({ length: 80 }, (_, index) => store.deliveryBodies.has(`dlv_${index}`));
  assert.equal(kept.at(-1), true);
  assert.equal(kept[0], false);
  assert.ok(kept.filter(Boolean).length * body.length <= 64 * 1_048_576);
  store.deliveryBodies.keep('dlv_large', 99, randomBytes(1_100_000));
  assert.equal(store.deliveryBodies.has('dlv_large'), false);
});

test('the oldest go where there are more than 20,000, a few at once', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const body = Buffer.from('{}');
  const keep = (index: number) => store.deliveryBodies.keep(`dlv_${index}`, index, body);
  store.transact(() => {
    for (let index = 0; index < 20_000; index++) keep(index);
  });
  assert.equal(store.deliveryBodies.has('dlv_0'), true);
  keep(20_000);
  const has = (index: number) => store.deliveryBodies.has(`dlv_${index}`);
  assert.deepEqual([0, 49, 50, 20_000].map(has), [false, false, true, true]);
});
