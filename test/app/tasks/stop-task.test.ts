import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Store } from '../../../app/db/store.ts';
import { stopTask } from '../../../app/tasks/stop-task.ts';
import { addTask, makeStore } from './task-fixture.ts';

const BY = 'admin at ::1';
const DIGEST = `sha256:${'1'.repeat(64)}`;

function start(context: TestContext) {
  const store = makeStore(context);
  return { store, id: addTask(store, 'web.service') };
}

function open(store: Store, id: string): void {
  store.deployments.save({
    task_id: id,
    unit: 'web.service',
    image: 'localhost/web:stable',
    wanted_digest: DIGEST,
    wanted_image_id: null,
    restart_unit: null,
    write_image: null,
    is_brought: 0,
    former_image_id: null,
    former_digest: null,
    held_as: null,
    dependents: '[]',
    stage: 'forward',
    cause_code: null,
    cause_detail: null,
    updated_at: 1,
  });
}

describe('stopping a task', () => {
  test('that has not begun ends it at once', (t) => {
    const { store, id } = start(t);
    const stopped = stopTask(store, id, BY, 7);
    assert.equal(stopped.ok && stopped.value.status, 'cancelled');
    assert.match(store.tasks.find(id)?.summary ?? '', /not touched/);
    assert.match(store.taskLogs.listByTask(id).at(-1)?.summary ?? '', /Stopped by admin at ::1/);
  });

  test('whose earlier attempt has touched its unit leaves it to the next one', (t) => {
    const { store, id } = start(t);
    open(store, id);
    const stopped = stopTask(store, id, BY, 7);
    assert.equal(stopped.ok && stopped.value.status, 'pending');
    assert.equal(stopped.ok && stopped.value.stop_requested_by, BY);
  });

  test('that runs is remembered, once', (t) => {
    const { store, id } = start(t);
    store.tasks.markDispatched(id, 'child', 5);
    assert.equal(stopTask(store, id, BY, 7).ok, true);
    const again = stopTask(store, id, 'another', 8);
    assert.equal(again.ok && again.value.stop_requested_at, 7);
    assert.equal(again.ok && again.value.stop_requested_by, BY);
    assert.equal(again.ok && again.value.status, 'running');
  });

  test('that has ended says so, and so does one that is not there', (t) => {
    const { store, id } = start(t);
    stopTask(store, id, BY, 7);
    const again = stopTask(store, id, BY, 8);
    assert.equal(!again.ok && again.failure.code, 'TASK_ENDED');
    const none = stopTask(store, 'tsk_0', BY, 8);
    assert.equal(!none.ok && none.failure.code, 'TASK_NOT_FOUND');
  });
});
