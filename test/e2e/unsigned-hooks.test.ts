import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TaskDetailView } from '../../app/api/views.ts';
import { countStarts, pushImage, served, startUnit } from '../helpers/lab.ts';
import { untilServed } from '../helpers/lab-units.ts';
import { PATIENCE_MS, Product } from '../helpers/product.ts';
import { until } from '../helpers/until.ts';
import { type Push, post } from '../helpers/webhook.ts';

const REGISTRY = process.env['LAB_REGISTRY'] ?? '';
/** No registry has it. */
const FORGED = `sha256:${'f0'.repeat(32)}`;

type Delivery = {
  readonly unit: string;
  readonly verdict: string;
  readonly digest: string | null;
  readonly task: { readonly task_id: string; readonly status: string } | null;
};

let product: Product;
let path: string;
/** What the tag meant first, and what it means while deliveries are sent. */
const versions: Push[] = [];

before(async () => {
  product = await Product.start({ PODUP_MANUAL_UNITS: 'plain' });
  versions.push(pushImage('plain:stable', 'v1'));
  startUnit('plain', 'plain:stable', 8081);
  await untilServed(8081, 'v1');
  type Made = { secret: { path: string } };
  const hook = { name: 'plain', source: 'distribution', scheme: 'path-secret', registry: REGISTRY };
  const made = await product.post<Made>('/api/hooks', hook);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  path = made.body.secret.path;
  versions.push(pushImage('plain:stable', 'v2'));
});
after(() => product[Symbol.asyncDispose]());

/** As a registry tells of a push. */
function notify(digest: string, to = path): ReturnType<typeof post> {
  const target = {
    ...{ repository: 'plain', tag: 'stable', digest },
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  };
  const body = JSON.stringify({ events: [{ id: digest, action: 'push', target }] });
  return post(`http://${product.address}${to}`, body, { 'content-type': 'application/json' });
}

/** The task of the delivery of a digest, once it has ended. */
function endOf(digest: string): Promise<TaskDetailView> {
  return until(`the end of ${digest}`, PATIENCE_MS, async () => {
    const { deliveries } = await product.api<{ deliveries: Delivery[] }>(
      '/api/deliveries?hook=plain',
    );
    const one = deliveries.find((delivery) => delivery.digest === digest);
    if (!one?.task) return undefined;
    assert.deepEqual([one.unit, one.verdict], ['plain.service', 'accepted']);
    const task = await product.task(one.task.task_id);
    return task.finished_at === null ? undefined : task;
  });
}

describe('a push that nothing proves but the path it came by', () => {
  test('and whose digest the registry does not have is deployed for nobody, and it is said why', async () => {
    assert.equal((await notify(FORGED)).status, 202);
    const { status, error, digests } = await endOf(FORGED);
    assert.deepEqual([status, error?.code], ['failed', 'PUSH_NOT_PROVEN']);
    assert.match(error?.detail ?? '', new RegExp(FORGED));
    assert.deepEqual([digests.webhook, digests.pulled], [FORGED, null]);
    assert.equal(await served(8081), 'v1');
    assert.equal(countStarts('plain.service', 'v2'), 0);
  });

  test('by a path with another secret is not let in', async () => {
    const [, newest] = versions;
    const other = path.replace(/[^/]+$/, (secret) => [...secret].reverse().join(''));
    const { status, answer } = await notify(newest?.digest ?? '', other);
    assert.deepEqual([status, answer['code']], [401, 'HOOK_REFUSED']);
    assert.equal((await notify(newest?.digest ?? '', '/hooks/plain')).status, 401);
  });

  test('and whose digest is there is deployed: what the tag means, also where that is a newer one', async () => {
    const [older, newest] = versions;
    assert.equal((await notify(older?.digest ?? '')).status, 202);
    const task = await endOf(older?.digest ?? '');
    assert.deepEqual([task.status, task.error], ['succeeded', null]);
    assert.equal(task.digests.running, newest?.digest);
    assert.equal(await served(8081), 'v2');
    const latest = pushImage('plain:stable', 'v3');
    assert.equal((await notify(latest.digest)).status, 202);
    assert.equal((await endOf(latest.digest)).digests.running, latest.digest);
    assert.equal(await served(8081), 'v3');
  });
});
