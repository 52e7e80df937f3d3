import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDispatcher } from './dispatcher-fixture.ts';
import { addTask, settle } from './task-fixture.ts';

test('a task whose worker ended before it told it to stop is told by the next', async (t) => {
  const { store, dispatcher, child } = startDispatcher(t);
  const ids = [addTask(store, 'a'), addTask(store, 'b')];
  for (const id of ids) store.tasks.markDispatched(id, 'child', 1);
  store.tasks.requestStop(ids[1] ?? '', 'admin', 2);
  child.isAlive = true;
  await dispatcher.recover();
  await settle();
  assert.deepEqual(child.woken, [ids[1]]);
});
