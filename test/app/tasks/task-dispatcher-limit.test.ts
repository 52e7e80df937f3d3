import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { releaseImageLock, viewImageLocks } from '../../../app/tasks/image-locks.ts';
import { takeNext } from '../../../app/tasks/take-next.ts';
import { toViews } from '../../../app/tasks/task-view.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { startDispatcher } from './dispatcher-fixture.ts';
import { addTask, findTask, logOf, settle } from './task-fixture.ts';

const NOW = 1_800_000_000_000;
const LIMIT = { count: 2, windowMs: 60_000 };
const IMAGE = 'ghcr.io/o/web:main';
const BUCKET = 'ghcr.io_o_web_main';

/** A dispatcher whose clock is the test's; it deploys an image twice a minute. */
function start(context: TestContext, concurrency = 4) {
  const all = startDispatcher(context, concurrency, false, LIMIT);
  const clock = { nowMs: NOW };
  context.mock.method(Date, 'now', () => clock.nowMs);
  const goOn = async (ms: number) => {
    clock.nowMs += ms;
    context.mock.timers.tick(ms);
    await settle();
  };
  /** Has a delivery for a unit of its own deployed to its end. */
  const deploy = async (unit: string) => {
    const id = addTask(all.store, unit, IMAGE);
    all.dispatcher.wake();
    await settle();
    const process = all.child.started.findLast(({ task }) => task.unit === unit);
    if (process) all.succeed(process);
    await settle();
    return id;
  };
  return { ...all, clock, goOn, deploy };
}

describe('an image that is pushed too often', () => {
  test('waits until it may be deployed again, and says so; then it is begun without being asked', async (t) => {
    const { store, units, deploy, goOn } = start(t);
    await deploy('a');
    await goOn(10_000);
    await deploy('b');
    const third = await deploy('c');
    assert.deepEqual(units(), ['a', 'b']);
    const waiting = findTask(store, third);
    assert.deepEqual([waiting.status, waiting.not_before], ['pending', NOW + 60_000]);
    assert.deepEqual(toViews([waiting], () => [])[0]?.waiting, {
      until: new Date(NOW + 60_000).toISOString(),
      for: 'image-limit',
    });
    const [entry] = store.taskLogs.listByTask(third);
    assert.equal(entry?.action, 'image-rate-limit');
    assert.match(entry?.summary ?? '', /deployed 2 times in 60 s.*waits until 2027-01-15T08:01:00/);
    await goOn(49_999);
    assert.deepEqual(units(), ['a', 'b']);
    await goOn(1);
    assert.deepEqual(units(), ['a', 'b', 'c']);
    assert.equal(findTask(store, third).waits_for, null);
  });

  test('keeps no other image waiting, nor what a person wants', async (t) => {
    const { store, dispatcher, units, deploy } = start(t);
    await deploy('a');
    await deploy('b');
    const waiting = await deploy('c');
    addTask(store, 'd', 'ghcr.io/o/other:main');
    store.tasks.insert({
      ...{ id: 'tsk_1', kind: 'manual', unit: 'e', image: IMAGE, created_at: NOW, summary: '' },
      ...{ trigger_source: 'api', trigger_request_id: null, trigger_path: null },
      ...{ trigger_caller: null, webhook_digest: null },
    });
    dispatcher.wake();
    await settle();
    assert.deepEqual(units().slice(2), ['d', 'e']);
    assert.equal(findTask(store, waiting).status, 'pending');
  });

  test('does not wait once it was begun, for its unit may have to be brought back', async (t) => {
    const { store, units, child, deploy, goOn } = start(t);
    await deploy('a');
    const id = addTask(store, 'b', IMAGE);
    await deploy('other');
    assert.deepEqual(units(), ['a', 'b']);
    const process = child.started.at(-1);
    store.tasks.claim(attemptOf(store.tasks, id), NOW);
    process?.end('killed');
    await settle();
    await goOn(2_000);
    assert.deepEqual(units(), ['a', 'b', 'b']);
  });

  test('is not taken on by a process either, and a delivery that joins makes it no earlier', async (t) => {
    const { store, deploy } = start(t);
    const first = await deploy('a');
    await deploy('b');
    const waiting = addTask(store, 'c', IMAGE);
    assert.equal(takeNext(store, findTask(store, first), LIMIT, NOW + 1), undefined);
    await deploy('d');
    const until = findTask(store, waiting).not_before;
    assert.equal(until, NOW + 60_000);
    store.tasks.joinPending(waiting, 'sha256:new', NOW + 5);
    assert.equal(findTask(store, waiting).not_before, until);
    assert.equal(takeNext(store, findTask(store, first), LIMIT, NOW + 60_000)?.id, waiting);
    assert.equal(takeNext(store, findTask(store, first), LIMIT, NOW + 60_001)?.unit, undefined);
  });

  test('says that it waits once, however often it has to', async (t) => {
    const { store, deploy, goOn } = start(t);
    await deploy('a');
    await deploy('b');
    const [one, two, three] = [await deploy('c'), await deploy('d'), await deploy('e')];
    await goOn(60_000);
    const said = [one, two, three].map(
      (id) => logOf(store, id).filter((action) => action === 'image-rate-limit').length,
    );
    assert.deepEqual(said, [1, 1, 1]);
    assert.equal(findTask(store, three).status, 'pending');
  });

  test('is let go by a person, and what it was counted for is forgotten', async (t) => {
    const { store, dispatcher, units, deploy } = start(t);
    await deploy('a');
    await deploy('b');
    const id = await deploy('c');
    const view = viewImageLocks(store, LIMIT, NOW);
    assert.deepEqual(view.limits, [
      { bucket: BUCKET, used: 2, waiting: 1, free_at: (NOW + 60_000) / 1000 },
    ]);
    const released = releaseImageLock(store, IMAGE.toUpperCase(), NOW);
    assert.ok(released.ok);
    assert.deepEqual(released.value, {
      ...{ bucket: BUCKET, removed: true, rows: 2, begun: 1, held_by: null },
    });
    assert.ok(logOf(store, id).includes('image-limit-released'));
    dispatcher.wake();
    await settle();
    assert.deepEqual(units(), ['a', 'b', 'c']);
  });
});

describe('the lock of an image', () => {
  test('is the task that runs: it is shown, and not taken away', async (t) => {
    const { store, dispatcher, child, succeed } = start(t);
    const id = addTask(store, 'a', IMAGE);
    dispatcher.wake();
    await settle();
    assert.deepEqual(viewImageLocks(store, LIMIT, NOW + 5_000).locks, [
      {
        ...{ bucket: BUCKET, acquired_at: NOW / 1000, age_secs: 5 },
        ...{ image: IMAGE, unit: 'a', task_id: id },
      },
    ]);
    const first = releaseImageLock(store, BUCKET, NOW);
    assert.deepEqual(first.ok && [first.value.rows, first.value.held_by], [1, id]);
    const second = releaseImageLock(store, BUCKET, NOW);
    assert.equal(!second.ok && second.failure.code, 'IMAGE_LOCK_HELD');
    assert.equal(findTask(store, id).status, 'running');
    succeed(child.started[0]);
    await settle();
    assert.deepEqual(viewImageLocks(store, LIMIT, NOW).locks, []);
    const third = releaseImageLock(store, BUCKET, NOW);
    assert.equal(!third.ok && third.failure.code, 'IMAGE_LOCK_NOT_FOUND');
  });

  test('is held on while something of a killed task may be left', async (t) => {
    const { store, dispatcher } = start(t);
    const id = addTask(store, 'a', IMAGE);
    dispatcher.wake();
    await settle();
    store.tasks.forceStop(attemptOf(store.tasks, id), {
      ...{ by: 'me', summary: 'x', errorCode: 'TASK_FORCE_STOPPED', errorDetail: '', at: NOW },
    });
    assert.equal(viewImageLocks(store, LIMIT, NOW).locks.length, 1);
    store.tasks.setKilled(id, NOW);
    assert.equal(viewImageLocks(store, LIMIT, NOW).locks.length, 0);
  });
});
