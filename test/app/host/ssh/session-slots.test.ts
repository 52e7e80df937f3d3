import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionSlots } from '../../../../app/host/ssh/session-slots.ts';

const never = new AbortController().signal;

test('eight have a slot at once, and who waits gets the next one in order', async () => {
  const slots = new SessionSlots();
  const taken = await Promise.all(Array.from({ length: 8 }, () => slots.take(never)));
  const order: string[] = [];
  const ninth = slots.take(never).then((release) => {
    order.push('ninth');
    return release;
  });
  const tenth = slots.take(never).then(() => order.push('tenth'));
  await Promise.resolve();
  assert.deepEqual(order, []);
  taken[3]?.();
  const release = await ninth;
  assert.deepEqual(order, ['ninth']);
  release?.();
  await tenth;
  assert.deepEqual(order, ['ninth', 'tenth']);
});

test('who gives up while waiting takes no slot', async () => {
  const slots = new SessionSlots();
  const [first] = await Promise.all(Array.from({ length: 8 }, () => slots.take(never)));
  const stopper = new AbortController();
  const waiting = slots.take(stopper.signal);
  stopper.abort();
  assert.equal(await waiting, undefined);
  assert.equal(await slots.take(AbortSignal.abort()), undefined);
  first?.();
  assert.ok(await slots.take(never));
});
