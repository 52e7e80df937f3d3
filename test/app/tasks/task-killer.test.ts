import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { forceStopTask } from '../../../app/tasks/force-stop-task.ts';
import { startDispatcher } from './dispatcher-fixture.ts';
import { addTask, findTask, logOf, settle } from './task-fixture.ts';

const STOP = { by: 'somebody', nowMs: 7, target: undefined };
const LEFT = { code: 'TASK_NOT_KILLED', detail: 'Still there: 4711.' } as const;

/** A task that runs, closed by force, and another one of the same unit that waits. */
async function start(context: TestContext) {
  const parts = startDispatcher(context);
  const { store, dispatcher } = parts;
  const id = addTask(store, 'web.service');
  dispatcher.wake();
  await settle();
  const next = addTask(store, 'web.service');
  const closed = forceStopTask(store, id, STOP);
  assert.ok(closed.ok);
  dispatcher.wake();
  await settle();
  return { ...parts, id, next, closed: closed.value };
}

describe('killing what was force-stopped', () => {
  test('is done by what has started it, and only then the next task of the unit begins', async (t) => {
    const { store, dispatcher, child, systemdRun, units, id, next, closed } = await start(t);
    assert.equal(findTask(store, next).status, 'pending');
    assert.equal((await dispatcher.kill(closed)).ok, true);
    await settle();
    assert.deepEqual([child.killed, systemdRun.killed], [[id], []]);
    assert.notEqual(findTask(store, id).killed_at, null);
    assert.equal(logOf(store, id).at(-1), 'task-killed');
    assert.deepEqual(units(), ['web.service', 'web.service']);
    assert.equal(findTask(store, next).status, 'running');
    assert.equal((await dispatcher.kill(findTask(store, id))).ok, true);
    assert.deepEqual(child.killed, [id]);
  });

  test('is tried again where something is left, which holds the unit back', async (t) => {
    const { store, dispatcher, child, id, next, closed } = await start(t);
    child.unkillable = LEFT;
    assert.deepEqual(await dispatcher.kill(closed), { ok: false, failure: LEFT });
    assert.equal(logOf(store, id).at(-1), 'task-not-killed');
    assert.match(store.taskLogs.listByTask(id).at(-1)?.summary ?? '', /4711/);
    await settle();
    assert.equal(findTask(store, next).status, 'pending');
    child.unkillable = undefined;
    t.mock.timers.tick(5_000);
    await settle();
    assert.equal(child.killed.length, 2);
    assert.equal(findTask(store, next).status, 'running');
  });

  test('is gone on with by the next worker', async (t) => {
    const { store, dispatcher, child, id, next } = await start(t);
    await dispatcher.recover();
    t.mock.timers.tick(1);
    await settle();
    assert.deepEqual(child.killed, [id]);
    assert.equal(findTask(store, next).status, 'running');
  });

  test('holds back what shares its image, and nobody else', async (t) => {
    const { store, dispatcher } = startDispatcher(t, 9);
    const id = addTask(store, 'web.service', 'ghcr.io/o/web:main');
    dispatcher.wake();
    await settle();
    forceStopTask(store, id, STOP);
    const twin = addTask(store, 'twin.service', 'ghcr.io/o/web:main');
    const other = addTask(store, 'other.service', 'ghcr.io/o/other:main');
    dispatcher.wake();
    await settle();
    assert.deepEqual(
      [findTask(store, twin).status, findTask(store, other).status],
      ['pending', 'running'],
    );
  });

  test('that ended while its process did is not told as lost', async (t) => {
    const { store, child, lines, id } = await start(t);
    child.started[0]?.end('SIGKILL ended the process');
    await settle();
    assert.equal(findTask(store, id).status, 'cancelled');
    assert.ok(lines.some((line) => line.includes('task ended') && line.includes('cancelled')));
    assert.ok(!logOf(store, id).includes('task-resumed'));
  });
});
