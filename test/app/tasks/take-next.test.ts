import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Store } from '../../../app/db/store.ts';
import { forceStopTask } from '../../../app/tasks/force-stop-task.ts';
import { takeNext } from '../../../app/tasks/take-next.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { addTask, findTask, logOf, makeStore } from './task-fixture.ts';

const LIMIT = { count: 1_000, windowMs: 1_000 };

/** After all tasks were made. */
const NOW = 1_800_000_000_000;

/** A store in which a worker, since a moment ago, has begun the task of a unit, which has ended. */
function startFirst(context: TestContext, { slots = 2, sinceMs = NOW - 10 } = {}) {
  const store = makeStore(context);
  store.dispatching.begin(sinceMs, slots);
  const id = addTask(store, 'first.service');
  store.tasks.markDispatched(id, 'child', NOW);
  end(store, id);
  return { store, first: findTask(store, id) };
}

function end(store: Store, id: string): void {
  store.tasks.finish(attemptOf(store.tasks, id), { status: 'succeeded', summary: '', at: NOW });
}

describe('a process that has ended its task', () => {
  test('takes the next one in its name, and says so', (t) => {
    const { store, first } = startFirst(t);
    const [second = '', third = ''] = ['b', 'c'].map((unit) => addTask(store, unit));
    const taken = takeNext(store, first, LIMIT, NOW + 1);
    assert.deepEqual(
      [taken?.id, taken?.status, taken?.attempts, taken?.executor, taken?.process],
      [second, 'running', 1, 'child', `${first.id}-1`],
    );
    assert.equal(taken?.dispatched_at, NOW + 1);
    assert.deepEqual(logOf(store, second), ['task-dispatched']);
    assert.equal(takeNext(store, first, LIMIT, NOW + 2)?.id, third);
    assert.equal(takeNext(store, first, LIMIT, NOW + 3), undefined);
  });

  test('takes what the dispatcher would choose: each unit waits for one task of another', (t) => {
    const { store, first } = startFirst(t);
    const [, , other = ''] = ['a', 'a', 'b'].map((unit) => addTask(store, unit));
    const one = takeNext(store, first, LIMIT, NOW + 1);
    assert.equal(one?.unit, 'a');
    end(store, one?.id ?? '');
    assert.equal(takeNext(store, first, LIMIT, NOW + 2)?.id, other);
  });

  test('takes none while it is to be killed, for that would be killed with it', (t) => {
    const { store, first } = startFirst(t);
    const [cut = '', next = ''] = ['b', 'c'].map((unit) => addTask(store, unit));
    assert.equal(takeNext(store, first, LIMIT, NOW + 1)?.id, cut);
    assert.ok(forceStopTask(store, cut, { by: 'a person', nowMs: NOW, target: undefined }).ok);
    assert.equal(takeNext(store, first, LIMIT, NOW + 2), undefined);
    store.tasks.setKilled(cut, NOW + 3);
    assert.equal(takeNext(store, first, LIMIT, NOW + 4)?.id, next);
  });

  test('takes none where no more may run at a time', (t) => {
    const { store, first } = startFirst(t, { slots: 1 });
    for (const unit of ['b', 'c']) addTask(store, unit);
    assert.equal(takeNext(store, first, LIMIT, NOW + 1)?.unit, 'b');
    assert.equal(takeNext(store, first, LIMIT, NOW + 2), undefined);
  });

  for (const [title, change] of [
    ['an update is to have its turn', (store) => store.dispatching.setSlots(0)],
    ['another worker has begun since', (store) => store.dispatching.begin(NOW + 1, 2)],
  ] as readonly [string, (store: Store) => void][]) {
    test(`takes none where ${title}`, (t) => {
      const { store, first } = startFirst(t);
      addTask(store, 'b');
      change(store);
      assert.equal(takeNext(store, first, LIMIT, NOW + 2), undefined);
    });
  }

  test('takes none where no worker has said that it may, nor for what was never begun', (t) => {
    const store = makeStore(t);
    const id = addTask(store, 'first.service');
    addTask(store, 'b');
    store.tasks.markDispatched(id, 'child', NOW);
    assert.equal(takeNext(store, findTask(store, id), LIMIT, NOW + 1), undefined);
    store.dispatching.begin(NOW, 2);
    const never = findTask(store, addTask(store, 'c'));
    assert.equal(takeNext(store, never, LIMIT, NOW + 1), undefined);
    assert.equal(takeNext(store, findTask(store, id), LIMIT, NOW + 1)?.unit, 'b');
  });
});
