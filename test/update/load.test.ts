import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Load, startLoad } from './load-fixture.ts';

const CLIENTS = 8;

describe('under clients that post signed webhooks without a pause', () => {
  let load: Load;
  before(async () => {
    load = await startLoad(CLIENTS);
  });
  after(() => load[Symbol.asyncDispose]());

  test('two updates, the supervisor included, fail no request and lose no delivery', async () => {
    const { pid } = load;
    for (const version of ['1.1.0', '1.2.0']) await load.update({ version }, 'committed');
    assert.equal(load.pid, pid);
    assert.deepEqual(load.errors(), []);
  });

  test('five swaps of the worker fail no request', async () => {
    await load.swap(5);
    assert.deepEqual(load.errors(), []);
  });

  test('two automatic rollbacks fail no request', async () => {
    await load.update({ version: '1.3.0', break: 'crash-at-start' }, 'rolled-back');
    await load.update({ version: '1.4.0', break: 'exit-78' }, 'rolled-back');
    assert.deepEqual(load.errors(), []);
  });

  test('and each delivery that was acknowledged is there exactly once', async () => {
    await load.settle();
    assert.ok(load.acknowledged > 100, `${load.acknowledged} deliveries`);
    assert.deepEqual(load.wrong(), []);
  });
});
