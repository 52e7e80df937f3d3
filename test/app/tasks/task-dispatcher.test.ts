import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_ATTEMPTS } from '../../../app/domain/task.ts';
import type { TaskExecutor } from '../../../app/tasks/task-executor.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { startDispatcher } from './dispatcher-fixture.ts';
import { addTask, findTask, logOf, settle } from './task-fixture.ts';

describe('task dispatcher: what is started', () => {
  test('the oldest first, no more at a time than allowed, and the next when one ends', async (t) => {
    const { store, dispatcher, child, succeed, units } = startDispatcher(t);
    for (const unit of ['a', 'b', 'c', 'd']) addTask(store, unit);
    dispatcher.wake();
    await settle();
    assert.deepEqual(units(), ['a', 'b']);
    succeed(child.started[1]);
    await settle();
    assert.deepEqual(units(), ['a', 'b', 'c']);
    succeed(child.started[0]);
    succeed(child.started[2]);
    await settle();
    assert.deepEqual(units(), ['a', 'b', 'c', 'd']);
  });

  test('one task a unit at a time, and the others of it do not hold up another unit', async (t) => {
    const { store, dispatcher, child, succeed, units } = startDispatcher(t, 3);
    const ids = ['a', 'a', 'b'].map((unit) => addTask(store, unit));
    dispatcher.wake();
    await settle();
    assert.deepEqual(units(), ['a', 'b']);
    assert.equal(findTask(store, ids[1] ?? '').status, 'pending');
    succeed(child.started[0]);
    await settle();
    assert.deepEqual(units(), ['a', 'b', 'a']);
  });

  test('a started task knows its executor and its attempt, and its log says so', async (t) => {
    const { store, dispatcher, child } = startDispatcher(t);
    const id = addTask(store, 'a');
    dispatcher.wake();
    await settle();
    const task = child.started[0]?.task;
    assert.deepEqual(
      [task?.status, task?.phase, task?.executor, task?.attempts],
      ['running', 'dispatching', 'child', 1],
    );
    assert.deepEqual(logOf(store, id), ['task-dispatched']);
  });

  test('a task that appears while a round is choosing is not forgotten', async (t) => {
    const { store, dispatcher, child, choices, units } = startDispatcher(t);
    const chosen = Promise.withResolvers<TaskExecutor>();
    choices.push(() => chosen.promise);
    addTask(store, 'a');
    dispatcher.wake();
    await settle();
    addTask(store, 'b');
    dispatcher.wake();
    chosen.resolve(child);
    await settle();
    assert.deepEqual(units(), ['a', 'b']);
  });

  test('a wake in the very turn in which a round ends is not lost', async (t) => {
    const { store, dispatcher, units } = startDispatcher(t, 32);
    for (let index = 0; index < 20; index++) {
      dispatcher.wake();
      for (let turn = 0; turn < index; turn++) await Promise.resolve();
      addTask(store, `unit-${index}`);
      dispatcher.wake();
      await settle();
      assert.equal(units().length, index + 1);
    }
  });

  test('a task that was taken away while its executor was chosen is not started', async (t) => {
    const { store, dispatcher, child, choices, units } = startDispatcher(t);
    const [first = ''] = ['a', 'b'].map((unit) => addTask(store, unit));
    choices.push(() => {
      store.tasks.finish(attemptOf(store.tasks, first), {
        status: 'cancelled',
        summary: 'No.',
        at: 1,
      });
      return Promise.resolve(child);
    });
    dispatcher.wake();
    await settle();
    assert.deepEqual(units(), ['b']);
  });

  test('a choice that fails is logged and tried again two seconds later', async (t) => {
    const { store, dispatcher, choices, units, lines } = startDispatcher(t);
    choices.push(() => Promise.reject(new Error('no choice')));
    addTask(store, 'a');
    dispatcher.wake();
    await settle();
    assert.match(lines.join(''), /dispatching tasks failed/);
    t.mock.timers.tick(1_999);
    await settle();
    assert.deepEqual(units(), []);
    t.mock.timers.tick(1);
    await settle();
    assert.deepEqual(units(), ['a']);
  });
});

describe('task dispatcher: a database that cannot be written', () => {
  test('is told of once, however often it is tried, again when it fails otherwise, and after it was well', async (t) => {
    const { store, dispatcher, lines } = startDispatcher(t);
    let failure: string | undefined = 'database or disk is full';
    const { nextDue } = store.tasks;
    t.mock.method(store.tasks, 'nextDue', (now: number) => {
      if (failure !== undefined) throw new Error(failure);
      return nextDue(now);
    });
    const told = () => lines.join('').match(/dispatching tasks failed/g)?.length ?? 0;
    const tryAgain = async (times: number) => {
      for (let at = 0; at < times; at++) {
        t.mock.timers.tick(2_000);
        await settle();
      }
      return told();
    };
    dispatcher.wake();
    await settle();
    assert.equal(told(), 1);
    assert.equal(await tryAgain(5), 1);
    failure = 'attempt to write a readonly database';
    assert.equal(await tryAgain(3), 2);
    failure = undefined;
    assert.equal(await tryAgain(1), 2);
    failure = 'attempt to write a readonly database';
    dispatcher.wake();
    await settle();
    assert.equal(told(), 3);
  });
});

describe('task dispatcher: a process that ends without a result', () => {
  for (const [code, isTaken] of [
    ['TASK_LOST', true],
    ['TASK_DISPATCH_FAILED', false],
  ] as const) {
    test(`begins again at most ${MAX_ATTEMPTS} times, two seconds apart, then it is closed with ${code}`, async (t) => {
      const { store, dispatcher, child, lines, lost } = startDispatcher(t);
      const id = addTask(store, 'a');
      dispatcher.wake();
      await settle();
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        assert.equal(child.started.length, attempt);
        assert.equal(findTask(store, id).attempts, attempt);
        if (isTaken) store.tasks.claim(attemptOf(store.tasks, id), 1);
        child.started.at(-1)?.end('SIGKILL ended the process');
        await settle();
        t.mock.timers.tick(1_999);
        await settle();
        assert.equal(child.started.length, attempt);
        t.mock.timers.tick(1);
        await settle();
      }
      const task = findTask(store, id);
      assert.deepEqual([task.status, task.error_code, task.phase], ['failed', code, 'done']);
      assert.match(task.error_detail ?? '', /^After 3 attempts: SIGKILL ended the process/);
      assert.equal(child.started.length, MAX_ATTEMPTS);
      assert.equal(lines.filter((line) => line.includes('task ended')).length, 1);
      const round = ['task-dispatched', 'task-resumed'];
      assert.deepEqual(logOf(store, id), [...round, ...round, 'task-dispatched', 'task-lost']);
      assert.deepEqual(lost, [
        [id, undefined],
        [id, undefined],
        [id, code],
      ]);
    });
  }

  test('when it is closed the next task of the unit begins', async (t) => {
    const { store, dispatcher, child } = startDispatcher(t);
    const [first = '', second = ''] = [addTask(store, 'a'), addTask(store, 'a')];
    dispatcher.wake();
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      await settle();
      child.started.at(-1)?.end('gone');
      await settle();
      t.mock.timers.tick(2_000);
    }
    await settle();
    assert.equal(findTask(store, first).status, 'failed');
    assert.equal(findTask(store, second).status, 'running');
  });

  test('a task that its process gave back begins again after two seconds, not at once', async (t) => {
    const { store, dispatcher, child } = startDispatcher(t);
    const id = addTask(store, 'a');
    dispatcher.wake();
    await settle();
    store.tasks.claim(attemptOf(store.tasks, id), 1);
    store.tasks.release(attemptOf(store.tasks, id), 2);
    child.started[0]?.end('the process exited with 0');
    await settle();
    assert.equal(child.started.length, 1);
    t.mock.timers.tick(2_000);
    await settle();
    assert.equal(child.started.length, 2);
  });

  test('a task that is gone from the database is let go', async (t) => {
    const { store, dispatcher, child, lines } = startDispatcher(t);
    const id = addTask(store, 'a');
    dispatcher.wake();
    await settle();
    const list = t.mock.method(store.tasks, 'listByProcess', () => []);
    child.started[0]?.end('gone');
    await settle();
    assert.equal(list.mock.callCount(), 2);
    assert.deepEqual(lines, []);
    list.mock.restore();
    assert.equal(findTask(store, id).status, 'running');
  });

  test('a process of which nobody can say whether it lives is not replaced', async (t) => {
    const { store, dispatcher, child, units } = startDispatcher(t);
    const id = addTask(store, 'a');
    dispatcher.wake();
    await settle();
    child.isUnknown = true;
    child.started[0]?.end('the bus was lost');
    for (let round = 0; round < 5; round++) {
      await settle();
      t.mock.timers.tick(2_000);
    }
    await settle();
    assert.deepEqual(units(), ['a']);
    assert.equal(store.tasks.find(id)?.status, 'running');
    child.isUnknown = false;
    for (let round = 0; round < 2; round++) {
      t.mock.timers.tick(2_000);
      await settle();
    }
    assert.deepEqual(units(), ['a', 'a']);
  });

  test('a process that only its watcher lost is watched again', async (t) => {
    const { store, dispatcher, child, succeed, units } = startDispatcher(t);
    const id = addTask(store, 'a');
    dispatcher.wake();
    await settle();
    child.isAlive = true;
    child.started[0]?.end('SIGKILL ended the process');
    await settle();
    succeed(child.adopted[0]);
    await settle();
    assert.deepEqual(units(), ['a']);
    assert.equal(store.tasks.find(id)?.status, 'succeeded');
  });

  test('a database that fails while a task is settled is logged, and everything goes on', async (t) => {
    const { store, dispatcher, child, lines, units } = startDispatcher(t);
    addTask(store, 'a');
    dispatcher.wake();
    await settle();
    t.mock.method(store.tasks, 'listByProcess', () => assert.fail('disk I/O error'), { times: 1 });
    child.started[0]?.end('gone');
    await settle();
    assert.match(lines.join(''), /settling a task failed/);
    addTask(store, 'b');
    for (let round = 0; round < 2; round++) {
      t.mock.timers.tick(2_000);
      await settle();
    }
    // By its time of making the other has waited since before the turn of the first.
    assert.deepEqual(units(), ['a', 'b', 'a']);
  });
});

describe('task dispatcher: after a start and at the end', () => {
  test('a task whose process still runs is watched, not started again', async (t) => {
    const { store, dispatcher, child, systemdRun, succeed, units } = startDispatcher(t, 1);
    const id = addTask(store, 'a');
    addTask(store, 'b');
    store.tasks.markDispatched(id, 'systemd-run', 1);
    systemdRun.isAlive = true;
    child.isAlive = true;
    await dispatcher.recover();
    await settle();
    assert.deepEqual(
      systemdRun.adopted.map(({ task }) => task.id),
      [id],
    );
    assert.deepEqual([child.adopted, units()], [[], []]);
    succeed(systemdRun.adopted[0]);
    await settle();
    assert.deepEqual(units(), ['b']);
  });

  test('a task whose process is gone begins again', async (t) => {
    const { store, dispatcher, units } = startDispatcher(t);
    const id = addTask(store, 'a');
    store.tasks.markDispatched(id, 'child', 1);
    await dispatcher.recover();
    await settle();
    assert.deepEqual([units(), findTask(store, id).attempts], [['a'], 2]);
    assert.deepEqual(logOf(store, id), ['task-resumed', 'task-dispatched']);
  });

  test('a task that another has begun, who has died since, is found while the worker goes on', async (t) => {
    const { store, dispatcher, child, units } = startDispatcher(t);
    const own = addTask(store, 'a');
    dispatcher.wake();
    await settle();
    const other = addTask(store, 'b');
    store.tasks.markDispatched(other, 'child', 1);
    await dispatcher.lookForLost();
    await settle();
    assert.deepEqual(units(), ['a', 'b']);
    assert.deepEqual([findTask(store, own).attempts, findTask(store, other).attempts], [1, 2]);
    child.isAlive = true;
    await dispatcher.lookForLost();
    assert.deepEqual(child.adopted, [], 'what is watched is not looked at again');
  });

  test('a task whose process is gone for the last time is closed', async (t) => {
    const { store, dispatcher, units } = startDispatcher(t);
    const id = addTask(store, 'a');
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      store.tasks.markDispatched(id, 'child', 1);
      if (attempt < MAX_ATTEMPTS) store.tasks.release(attemptOf(store.tasks, id), 1);
    }
    await dispatcher.recover();
    await settle();
    assert.deepEqual([findTask(store, id).error_code, units()], ['TASK_DISPATCH_FAILED', []]);
  });

  test('pending tasks of an earlier worker are begun', async (t) => {
    const { store, dispatcher, units } = startDispatcher(t);
    addTask(store, 'a');
    await dispatcher.recover();
    await settle();
    assert.deepEqual(units(), ['a']);
  });

  test('after the close nothing is started, settled or waited for', async (t) => {
    const { store, dispatcher, child, systemdRun, choices, units } = startDispatcher(t);
    const id = addTask(store, 'a');
    dispatcher.wake();
    await settle();
    const chosen = Promise.withResolvers<TaskExecutor>();
    choices.push(() => chosen.promise);
    const other = addTask(store, 'b');
    dispatcher.wake();
    dispatcher.close();
    chosen.resolve(child);
    addTask(store, 'c');
    dispatcher.wake();
    child.started[0]?.end('it lost its worker');
    t.mock.timers.tick(10_000);
    await settle();
    assert.deepEqual(units(), ['a']);
    assert.deepEqual(
      [findTask(store, id).status, findTask(store, other).status],
      ['running', 'pending'],
    );
    assert.deepEqual([child.isClosed, systemdRun.isClosed], [true, true]);
  });

  test('a wait that began before the close starts nothing after it', async (t) => {
    const { store, dispatcher, child } = startDispatcher(t);
    addTask(store, 'a');
    dispatcher.wake();
    await settle();
    child.started[0]?.end('gone');
    await settle();
    dispatcher.close();
    t.mock.timers.tick(10_000);
    await settle();
    assert.equal(child.started.length, 1);
  });
});
