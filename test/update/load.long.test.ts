import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Load, startLoad } from './load-fixture.ts';

const CLIENTS = 32;
const SWAPS = 50;
const UPDATES = 20;
const ROLLBACKS = 20;
const BAD = ['crash-at-start', 'exit-78', 'wrong-version'] as const;

describe(`under ${CLIENTS} clients that post signed webhooks without a pause`, () => {
  let load: Load;
  before(async () => {
    load = await startLoad(CLIENTS);
  });
  after(() => load[Symbol.asyncDispose]());

  test(`${SWAPS} swaps of the worker fail no request`, async (t) => {
    await load.swap(SWAPS);
    t.diagnostic(`${load.acknowledged} deliveries, the longest took ${load.longestMs()} ms`);
    assert.deepEqual(load.errors(), []);
  });

  test(`${UPDATES} updates, the supervisor included, fail no request and keep the pid`, async (t) => {
    const { pid } = load;
    for (let count = 1; count <= UPDATES; count++) {
      await load.update({ version: `1.${count}.0` }, 'committed');
    }
    t.diagnostic(`${load.acknowledged} deliveries, the longest took ${load.longestMs()} ms`);
    assert.equal(load.pid, pid);
    assert.deepEqual(load.errors(), []);
  });

  test(`${ROLLBACKS} automatic rollbacks fail no request`, async (t) => {
    for (let count = 1; count <= ROLLBACKS; count++) {
      const behaviour = BAD[count % BAD.length] ?? BAD[0];
      await load.update({ version: `2.${count}.0`, break: behaviour }, 'rolled-back');
    }
    t.diagnostic(`${load.acknowledged} deliveries, the longest took ${load.longestMs()} ms`);
    assert.deepEqual(load.errors(), []);
  });

  test('each delivery that was acknowledged is there exactly once', async () => {
    await load.settle();
    assert.deepEqual(load.wrong(), []);
  });
});
