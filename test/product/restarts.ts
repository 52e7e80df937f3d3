import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { recordedDeliveries, startClients, type Tally } from '../helpers/clients.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';

const CLIENTS = 8;
const POSTS_PER_WORKER = 25;

/** The tests of so many restarts by each way. */
export function describeRestarts(restarts: number): void {
  describe(`${restarts} restarts of the worker under clients that post without a pause`, () => {
    let product: Product;
    afterEach(() => product[Symbol.asyncDispose]());

    async function restartUnderLoad(restart: (product: Product) => void): Promise<Tally> {
      // The unit is not configured here: each delivery is judged, recorded and leads to no task.
      product = await Product.start({
        PODUP_RESTART_BACKOFF_INITIAL_MS: '10',
        PODUP_RESTART_BACKOFF_MAX_MS: '20',
        // Fifty reports of each run say nothing that one does not.
        NODE_V8_COVERAGE: '',
      });
      const { tally, stop } = startClients(product, CLIENTS);
      for (let count = 1; count <= restarts; count++) {
        restart(product);
        await product.ready(count + 1);
        // Each worker does some work, so that each is torn out of it.
        const served = tally.acknowledged.length + POSTS_PER_WORKER;
        await until('the worker serves', PATIENCE_MS, () => tally.acknowledged.length >= served);
      }
      await stop();
      assert.equal(await product.stop(), 0);
      const recorded = recordedDeliveries(product.stateDir);
      const lost = tally.acknowledged.filter((delivery) => !recorded.has(delivery));
      assert.deepEqual(lost, [], 'acknowledged and lost');
      return tally;
    }

    test('by SIGHUP: no request fails in any way, no acknowledged delivery is lost', async () => {
      const tally = await restartUnderLoad(({ supervisor }) => supervisor.kill('SIGHUP'));
      assert.deepEqual([...tally.errors], []);
    });

    test('by kill -9: none is refused, none that was acknowledged is lost', async () => {
      const tally = await restartUnderLoad(({ workerPid }) => process.kill(workerPid, 'SIGKILL'));
      // What the dead worker had accepted is reset, and only that: no hand-over can prevent it.
      const codes = [...tally.errors.keys()].filter((code) => code !== 'ECONNRESET');
      assert.deepEqual(codes, []);
      const resets = tally.errors.get('ECONNRESET') ?? 0;
      assert.ok(resets <= restarts * CLIENTS, `${resets} resets`);
    });
  });
}
