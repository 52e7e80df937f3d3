import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Store } from '../../../app/db/store.ts';
import { takeNext } from '../../../app/tasks/take-next.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { startDispatcher } from './dispatcher-fixture.ts';
import { addTask, findTask, logOf, settle } from './task-fixture.ts';

const LIMIT = { count: 1_000, windowMs: 1_000 };

function end(store: Store, id: string): void {
  store.tasks.finish(attemptOf(store.tasks, id), { status: 'succeeded', summary: '', at: 2 });
}

/** A dispatcher of one process, whose first task has ended. */
async function startFirst(context: TestContext, concurrency = 1) {
  const started = startDispatcher(context, concurrency);
  const { store, dispatcher, lines } = started;
  const ids = ['a', 'b', 'c'].map((unit) => addTask(store, unit));
  dispatcher.wake();
  await settle();
  const [first = '', second = ''] = ids;
  const process = findTask(store, first);
  end(store, first);
  const ended = () => lines.filter((line) => line.includes('task ended')).length;
  /** The database has told of a change. */
  const look = () => {
    started.commits.tell();
    context.mock.timers.tick(200);
    return settle();
  };
  return { ...started, first, second, process, ended, look };
}

describe('task dispatcher: a process that goes on with another task', () => {
  test('is not started once more for it, and each task is told of as it ends', async (t) => {
    const { store, child, process, second, ended, units, look } = await startFirst(t);
    assert.equal(takeNext(store, process, LIMIT, Date.now())?.id, second);
    await look();
    assert.deepEqual([units(), ended()], [['a'], 1]);
    end(store, second);
    assert.equal(takeNext(store, process, LIMIT, Date.now())?.unit, 'c');
    await look();
    assert.deepEqual([units(), ended()], [['a'], 2]);
    const third = store.tasks.listRunning()[0]?.id ?? '';
    end(store, third);
    child.started[0]?.end('the process exited with 0');
    await settle();
    assert.deepEqual([units(), ended()], [['a'], 3]);
    t.mock.timers.tick(5_000);
    await settle();
    assert.equal(ended(), 3);
  });

  test('makes room for others by the end of its first task', async (t) => {
    const { store, process, second, units, look } = await startFirst(t, 2);
    assert.deepEqual(units(), ['a', 'b']);
    end(store, second);
    assert.equal(takeNext(store, process, LIMIT, Date.now())?.unit, 'c');
    addTask(store, 'd');
    await look();
    assert.deepEqual(units(), ['a', 'b', 'd']);
  });

  test('may take the last place while the dispatcher chooses an executor', async (t) => {
    const { store, dispatcher, child, choices, process, second, units } = await startFirst(t);
    const third = store.tasks.listDispatchable(9, Date.now()).at(-1)?.id ?? '';
    assert.notEqual(third, second);
    choices.push(() => {
      // What has just become due was made before.
      store.tasks.markDispatched(third, 'child', Date.now(), process.process ?? '');
      return Promise.resolve(child);
    });
    dispatcher.wake();
    await settle();
    assert.deepEqual(units(), ['a']);
    assert.equal(store.tasks.countRunning(), 1);
  });

  test('that dies leaves the task that it had then, which begins again', async (t) => {
    const { store, child, process, first, second, units } = await startFirst(t);
    takeNext(store, process, LIMIT, Date.now());
    child.started[0]?.end('SIGKILL ended the process');
    await settle();
    assert.equal(findTask(store, first).status, 'succeeded');
    assert.deepEqual(logOf(store, second), ['task-dispatched', 'task-resumed']);
    t.mock.timers.tick(2_000);
    await settle();
    assert.equal(units().length, 2);
    assert.equal(findTask(store, first).attempts, 1);
  });

  test('does not go on where the dispatcher is paused or closed, and keeps it from being idle', async (t) => {
    const { store, dispatcher, child, process, second, look } = await startFirst(t);
    let count = 0;
    dispatcher.pause(() => count++);
    assert.equal(takeNext(store, process, LIMIT, Date.now()), undefined);
    await look();
    assert.equal(count, 0);
    dispatcher.resume();
    assert.equal(takeNext(store, process, LIMIT, Date.now())?.id, second);
    end(store, second);
    dispatcher.close();
    assert.equal(takeNext(store, process, LIMIT, Date.now()), undefined);
    child.started[0]?.end('the process exited with 0');
  });

  test('of an earlier worker is watched for the task that it has now, and old news is not told', async (t) => {
    const { store, dispatcher, child, lines } = startDispatcher(t, 1);
    const [first = '', second = ''] = ['a', 'b'].map((unit) => addTask(store, unit));
    store.tasks.markDispatched(first, 'child', 1);
    end(store, first);
    store.tasks.markDispatched(second, 'child', 1, `${first}-1`);
    child.isAlive = true;
    await dispatcher.recover();
    assert.deepEqual(
      child.adopted.map(({ task }) => [task.id, task.process]),
      [[second, `${first}-1`]],
    );
    await dispatcher.tell(findTask(store, second));
    assert.deepEqual(child.woken, [second]);
    end(store, second);
    child.adopted[0]?.end('the process exited with 0');
    await settle();
    const ended = lines.filter((line) => line.includes('task ended'));
    assert.equal(ended.length, 1);
    assert.ok(ended[0]?.includes(second));
  });

  test('is watched only while there is any', async (t) => {
    const { store, dispatcher, commits, child } = await startFirst(t);
    assert.equal(commits.watchers.size, 1);
    dispatcher.pause(() => undefined);
    child.started[0]?.end('the process exited with 0');
    await settle();
    assert.equal(commits.watchers.size, 0);
    dispatcher.resume();
    await settle();
    assert.equal(commits.watchers.size, 1);
    for (const { id } of store.tasks.listRunning()) end(store, id);
    dispatcher.close();
    assert.equal(commits.watchers.size, 0);
  });

  test('a database that fails while it is looked at is logged, and looked at again', async (t) => {
    const { store, lines, ended, look } = await startFirst(t);
    t.mock.method(store.tasks, 'listByProcess', () => assert.fail('disk I/O error'), { times: 1 });
    await look();
    assert.match(lines.join(''), /looking at the tasks failed/);
    assert.equal(ended(), 0);
    await look();
    assert.equal(ended(), 1);
  });

  test('a database that does not take the word to pause is logged', async (t) => {
    const { store, dispatcher, lines } = await startFirst(t);
    t.mock.method(store.dispatching, 'setSlots', () => assert.fail('disk full'), { times: 1 });
    dispatcher.pause(() => undefined);
    assert.match(lines.join(''), /could not be told/);
  });
});
