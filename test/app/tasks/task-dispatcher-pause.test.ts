import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TaskExecutor } from '../../../app/tasks/task-executor.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { startDispatcher } from './dispatcher-fixture.ts';
import { addTask, findTask, settle } from './task-fixture.ts';

/** A listener that counts. */
function counter() {
  let count = 0;
  return { onIdle: () => count++, count: () => count };
}

describe('a paused task dispatcher', () => {
  test('that has nothing to do is idle at once', async (t) => {
    const { dispatcher } = startDispatcher(t);
    const { onIdle, count } = counter();
    dispatcher.pause(onIdle);
    await settle();
    assert.equal(count(), 1);
    dispatcher.wake();
    await settle();
    assert.equal(count(), 1, 'once for each pause');
    dispatcher.pause(onIdle);
    await settle();
    assert.equal(count(), 2, 'asked again it says so again');
  });

  test('lets what runs come to its end, begins nothing, and is idle after the last one', async (t) => {
    const { store, dispatcher, child, succeed, units } = startDispatcher(t);
    for (const unit of ['a', 'b', 'c']) addTask(store, unit);
    dispatcher.wake();
    await settle();
    const { onIdle, count } = counter();
    dispatcher.pause(onIdle);
    succeed(child.started[0]);
    addTask(store, 'd');
    dispatcher.wake();
    await settle();
    assert.deepEqual([units(), count()], [['a', 'b'], 0]);
    succeed(child.started[1]);
    await settle();
    assert.deepEqual([units(), count()], [['a', 'b'], 1]);
    dispatcher.resume();
    await settle();
    assert.deepEqual(units(), ['a', 'b', 'c', 'd']);
  });

  test('is not idle while a process that has written its result still lives', async (t) => {
    const { store, dispatcher, child } = startDispatcher(t);
    const id = addTask(store, 'a');
    dispatcher.wake();
    await settle();
    const { onIdle, count } = counter();
    dispatcher.pause(onIdle);
    store.tasks.claim(attemptOf(store.tasks, id), 1);
    store.tasks.finish(attemptOf(store.tasks, id), { status: 'succeeded', summary: 'x', at: 2 });
    dispatcher.wake();
    await settle();
    assert.equal(count(), 0);
    child.started[0]?.end('the process exited with 0');
    await settle();
    assert.equal(count(), 1);
  });

  test('is idle as soon as a process has given its task back, which waits for the resume', async (t) => {
    const { store, dispatcher, child, units } = startDispatcher(t);
    const id = addTask(store, 'a');
    dispatcher.wake();
    await settle();
    const { onIdle, count } = counter();
    dispatcher.pause(onIdle);
    child.started[0]?.end('SIGKILL ended the process');
    await settle();
    assert.deepEqual([count(), findTask(store, id).status], [1, 'pending']);
    t.mock.timers.tick(10_000);
    await settle();
    assert.deepEqual(units(), ['a']);
    dispatcher.resume();
    await settle();
    assert.deepEqual(units(), ['a', 'a']);
  });

  test('does not start the task whose executor was being chosen', async (t) => {
    const { store, dispatcher, child, choices, units } = startDispatcher(t);
    const chosen = Promise.withResolvers<TaskExecutor>();
    choices.push(() => chosen.promise);
    addTask(store, 'a');
    dispatcher.wake();
    await settle();
    const { onIdle, count } = counter();
    dispatcher.pause(onIdle);
    assert.equal(count(), 0);
    chosen.resolve(child);
    await settle();
    assert.deepEqual([units(), count()], [[], 1]);
    dispatcher.resume();
    await settle();
    assert.deepEqual(units(), ['a']);
  });

  test('says nothing of a pause that was taken back before it was idle', async (t) => {
    const { store, dispatcher, child, succeed } = startDispatcher(t);
    addTask(store, 'a');
    dispatcher.wake();
    await settle();
    const { onIdle, count } = counter();
    dispatcher.pause(onIdle);
    dispatcher.resume();
    succeed(child.started[0]);
    await settle();
    assert.equal(count(), 0);
  });

  test('whose database fails asks it again two seconds later', async (t) => {
    const { store, dispatcher, lines } = startDispatcher(t);
    t.mock.method(store.tasks, 'countRunning', () => assert.fail('disk I/O error'), { times: 1 });
    const { onIdle, count } = counter();
    dispatcher.pause(onIdle);
    await settle();
    assert.equal(count(), 0);
    assert.match(lines.join(''), /dispatching tasks failed/);
    t.mock.timers.tick(2_000);
    await settle();
    assert.equal(count(), 1);
  });

  test('watches what ran before it was started, and is not idle before that has ended', async (t) => {
    const { store, dispatcher, systemdRun, succeed, units } = startDispatcher(t, 2, true);
    const id = addTask(store, 'a');
    addTask(store, 'b');
    store.tasks.markDispatched(id, 'systemd-run', 1);
    systemdRun.isAlive = true;
    await dispatcher.recover();
    const { onIdle, count } = counter();
    dispatcher.pause(onIdle);
    await settle();
    assert.deepEqual([units(), count()], [[], 0]);
    succeed(systemdRun.adopted[0]);
    await settle();
    assert.deepEqual([units(), count()], [[], 1]);
  });
});

test('a dispatcher that is made paused begins nothing before the resume', async (t) => {
  const { store, dispatcher, units } = startDispatcher(t, 2, true);
  addTask(store, 'a');
  await dispatcher.recover();
  dispatcher.wake();
  await settle();
  assert.deepEqual(units(), []);
  dispatcher.resume();
  await settle();
  assert.deepEqual(units(), ['a']);
});
