import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { DeliveryRow } from '../../../app/db/deliveries.ts';
import type { Store } from '../../../app/db/store.ts';
import { deliveryRow } from '../../helpers/delivery-row.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

function open(context: TestContext): Store {
  return openTestStore(context, makeTempFolder(context)).store;
}

function delivery(id: string, over: Partial<DeliveryRow> = {}): DeliveryRow {
  return deliveryRow({ id, received_at: 500, delivery: id, matched: null, ...over });
}

/** Runs a task to its end. */
function end(store: Store, id: string, over: Partial<Parameters<typeof newTask>[0]>, at: number) {
  store.tasks.insert(newTask({ id, ...over }));
  return (status: 'succeeded' | 'failed', errorCode?: 'PULL_FAILED') => {
    store.tasks.markDispatched(id, 'child', 900);
    const run = { id, attempts: 1 };
    store.tasks.claim(run, 901);
    return store.tasks.finish(run, { status, summary: '', at, ...(errorCode && { errorCode }) });
  };
}

describe('the totals', () => {
  test('count each task once, when it ends, by kind and status, and its error', (t) => {
    const store = open(t);
    assert.ok(end(store, 'tsk_1', { kind: 'manual' }, 2_000)('succeeded'));
    assert.ok(end(store, 'tsk_2', { kind: 'manual' }, 2_000)('failed', 'PULL_FAILED'));
    // What has ended is not changed, and not counted, again.
    const late = { status: 'failed', summary: '', at: 3_000 } as const;
    assert.equal(store.tasks.finish({ id: 'tsk_1', attempts: 1 }, late), false);
    store.tasks.insert(newTask({ id: 'tsk_3' }));
    assert.deepEqual(store.totals.list(), [
      { name: 'task', first: 'manual', second: 'failed', count: 1 },
      { name: 'task', first: 'manual', second: 'succeeded', count: 1 },
      { name: 'task-failure', first: 'PULL_FAILED', second: '', count: 1 },
    ]);
  });

  test('count deliveries by what was made of them', (t) => {
    const store = open(t);
    store.deliveries.insert(delivery('dlv_1'));
    store.deliveries.insert(delivery('dlv_2', { verdict: 'ignored', reason: 'untagged-child' }));
    // It is there already.
    store.deliveries.insert(delivery('dlv_1'));
    assert.deepEqual(store.totals.list(), [
      { name: 'delivery', first: 'accepted', second: '', count: 1 },
      { name: 'delivery', first: 'ignored', second: 'untagged-child', count: 1 },
    ]);
  });

  test('know how long it took from the first push to the end of its task', (t) => {
    const store = open(t);
    const took = (id: string, atMs: number) => {
      const finish = end(store, id, { kind: 'github-webhook' }, 500 + atMs);
      store.deliveries.insert(delivery(`${id}-late`, { received_at: 900, task_id: id }));
      store.deliveries.insert(delivery(`${id}-first`, { received_at: 500, task_id: id }));
      return finish;
    };
    assert.ok(took('tsk_1', 1_000)('succeeded'));
    assert.ok(took('tsk_2', 9_999)('succeeded'));
    assert.ok(took('tsk_3', 10_000)('succeeded'));
    assert.ok(took('tsk_4', 99_000_000)('succeeded'));
    assert.ok(took('tsk_5', 1)('failed'));
    assert.ok(end(store, 'tsk_6', { kind: 'manual' }, 5_000)('succeeded'));
    assert.deepEqual(store.totals.listPushes(), [
      { le_ms: 0, count: 1, sum_ms: 99_000_000 },
      { le_ms: 1_000, count: 1, sum_ms: 1_000 },
      { le_ms: 10_000, count: 2, sum_ms: 19_999 },
    ]);
  });

  test('outlive what they count, and the oldest that waits is known', (t) => {
    const store = open(t);
    assert.ok(end(store, 'tsk_1', { kind: 'manual' }, 2_000)('succeeded'));
    assert.equal(store.totals.oldestPendingAt(), null);
    store.tasks.insert(newTask({ id: 'tsk_2', created_at: 5_000 }));
    store.tasks.insert(newTask({ id: 'tsk_3', created_at: 4_000 }));
    assert.equal(store.totals.oldestPendingAt(), 4_000);
  });
});
