import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { afterEach, describe, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { makeBody, makeHeaders } from '../helpers/webhook.ts';

const RESTARTS = 50;
const CLIENTS = 8;
const POSTS_PER_WORKER = 25;
const BODY = makeBody('registry_package', {
  repository: 'ghcr.io/octo-org/hello',
  tag: 'latest',
  digest: `sha256:${'a'.repeat(64)}`,
});

/** What a client saw: ids of deliveries that were acknowledged, and what went wrong, by its code. */
type Tally = { readonly acknowledged: string[]; readonly errors: Map<string, number> };

/** Posts one delivery; records what became of it. */
function postOnce(product: Product, agent: Agent | undefined, tally: Tally): Promise<void> {
  const headers = makeHeaders('registry_package', BODY);
  const note = (code: string) => tally.errors.set(code, (tally.errors.get(code) ?? 0) + 1);
  return new Promise((resolve) => {
    const sent = request(
      `http://${product.address}/github-package-update/web`,
      { method: 'POST', headers, ...(agent ? { agent } : { agent: false }) },
      (answer) => {
        if (answer.statusCode === 202) tally.acknowledged.push(headers['x-github-delivery']);
        else note(`status ${answer.statusCode}`);
        answer.resume();
        answer.on('close', resolve);
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => {
      note(error.code ?? error.message);
      resolve();
    });
    sent.end(BODY);
  });
}

/** Clients that post without a pause until told to stop, half of them over connections that stay open. */
function startClients(product: Product, tally: Tally): () => Promise<unknown> {
  let isOver = false;
  const clients = Array.from({ length: CLIENTS }, async (_, index) => {
    const agent = index % 2 === 0 ? new Agent({ keepAlive: true, maxSockets: 1 }) : undefined;
    while (!isOver) await postOnce(product, agent, tally);
    agent?.destroy();
  });
  return () => {
    isOver = true;
    return Promise.all(clients);
  };
}

function recordedDeliveries(product: Product): Set<string> {
  const database = new SqliteDatabase(`${product.stateDir}/data/pod-upgrade-trigger.db`);
  const rows = database.prepare<[], string>('SELECT delivery FROM deliveries').pluck().all();
  database.close();
  return new Set(rows);
}

describe(`${RESTARTS} restarts of the worker under clients that post without a pause`, () => {
  let product: Product;
  afterEach(() => product[Symbol.asyncDispose]());

  async function restartUnderLoad(restart: (product: Product) => void): Promise<Tally> {
    const tally: Tally = { acknowledged: [], errors: new Map() };
    // The unit is not configured here: each delivery is judged, recorded and leads to no task.
    product = await Product.start({
      PODUP_RESTART_BACKOFF_INITIAL_MS: '10',
      PODUP_RESTART_BACKOFF_MAX_MS: '20',
      // Fifty reports of each run say nothing that one does not.
      NODE_V8_COVERAGE: '',
    });
    const stopClients = startClients(product, tally);
    for (let count = 1; count <= RESTARTS; count++) {
      restart(product);
      await product.ready(count + 1);
      // Each worker does some work, so that each is torn out of it.
      const served = tally.acknowledged.length + POSTS_PER_WORKER;
      await until('the worker serves', PATIENCE_MS, () => tally.acknowledged.length >= served);
    }
    await stopClients();
    assert.equal(await product.stop(), 0);
    const recorded = recordedDeliveries(product);
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
    assert.ok(resets <= RESTARTS * CLIENTS, `${resets} resets`);
  });
});
