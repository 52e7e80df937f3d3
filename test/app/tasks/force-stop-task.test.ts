import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { DeploymentRow } from '../../../app/db/deployments.ts';
import { openMemory } from '../../../app/tasks/deploy-memory.ts';
import { forceStopTask } from '../../../app/tasks/force-stop-task.ts';
import { addTask, findTask, logOf, makeStore } from './task-fixture.ts';

const STOP = { by: 'admin at ::1', nowMs: 7, target: undefined };
const DEPLOYMENT: Omit<DeploymentRow, 'task_id'> = {
  unit: 'web.service',
  image: 'localhost/web:stable',
  wanted_digest: 'sha256:new',
  wanted_image_id: null,
  restart_unit: null,
  write_image: null,
  is_brought: 0,
  former_image_id: 'i1',
  former_digest: 'sha256:old',
  held_as: 'localhost/podup/rollback:web.service-1',
  dependents: '["proxy.service"]',
  stage: 'forward',
  cause_code: null,
  cause_detail: null,
  updated_at: 1,
};

function start(context: TestContext, deployment?: Partial<DeploymentRow>) {
  const store = makeStore(context);
  const id = addTask(store, 'web.service');
  store.tasks.markDispatched(id, 'child', 5);
  if (deployment) store.deployments.save({ ...DEPLOYMENT, ...deployment, task_id: id });
  return { store, id };
}

describe('force-stopping a task', () => {
  test('closes one that runs at once, and says who and why', (t) => {
    const { store, id } = start(t);
    const stopped = forceStopTask(store, id, STOP);
    assert.ok(stopped.ok);
    const row = findTask(store, id);
    assert.deepEqual(stopped.value, row);
    assert.deepEqual(
      [row.status, row.phase, row.error_code, row.error_detail, row.finished_at],
      ['cancelled', 'done', 'TASK_FORCE_STOPPED', 'By admin at ::1.', 7],
    );
    assert.deepEqual(
      [row.force_stopped_at, row.force_stopped_by, row.killed_at],
      [7, 'admin at ::1', null],
    );
    assert.match(row.summary, /was not restarted/);
    assert.deepEqual(logOf(store, id), ['task-force-stopped']);
    assert.deepEqual(
      store.tasks.listUnkilled().map((task) => task.id),
      [id],
    );
  });

  test('of one that has not begun leaves nothing to kill', (t) => {
    const { store } = start(t);
    const id = addTask(store, 'db.service');
    assert.ok(forceStopTask(store, id, STOP).ok);
    assert.equal(findTask(store, id).killed_at, 7);
    assert.deepEqual(store.tasks.listUnkilled(), []);
  });

  test('again changes nothing, whoever asks', (t) => {
    const { store, id } = start(t);
    forceStopTask(store, id, STOP);
    const before = findTask(store, id);
    const again = forceStopTask(store, id, { by: 'another', nowMs: 8, target: 'host' });
    assert.deepEqual(again.ok && again.value, before);
    assert.equal(logOf(store, id).length, 1);
  });

  test('of one that has ended otherwise is refused', (t) => {
    const { store, id } = start(t);
    store.tasks.finish({ id, attempts: 1 }, { status: 'succeeded', summary: 'Done.', at: 6 });
    const stopped = forceStopTask(store, id, STOP);
    assert.ok(!stopped.ok);
    assert.deepEqual(stopped.failure, { code: 'TASK_ENDED', detail: 'It is succeeded: Done.' });
    assert.equal(findTask(store, id).force_stopped_at, null);
    const none = forceStopTask(store, 'tsk_0', STOP);
    assert.equal(!none.ok && none.failure.code, 'TASK_NOT_FOUND');
  });

  test('leaves on record what the next deployment of the unit needs, and nothing that resumes', (t) => {
    const { store, id } = start(t, {});
    forceStopTask(store, id, STOP);
    assert.match(findTask(store, id).summary, /--to localhost\/podup\/rollback:web.service-1 /);
    const left = store.deployments.find(id);
    assert.deepEqual([left?.stage, left?.cause_code], ['forward', 'TASK_FORCE_STOPPED']);
    assert.deepEqual(store.quarantine.list(9), []);
    assert.deepEqual(store.tasks.listRunning(), []);
    store.tasks.setKilled(id, 8);
    assert.deepEqual(store.tasks.listDispatchable(9, 1e13), []);
    const next = addTask(store, 'web.service');
    store.tasks.markDispatched(next, 'child', 9);
    const memory = openMemory(store, { id: next, attempts: 1 });
    const found = memory.findAbandoned('web.service');
    assert.deepEqual([found?.held_as, found?.dependents], [left?.held_as, ['proxy.service']]);
  });

  test('keeps why a deployment was going back, and leaves one that is through alone', (t) => {
    const { store, id } = start(t, { stage: 'back', cause_code: 'GATE_UNIT_DOWN' });
    forceStopTask(store, id, STOP);
    assert.equal(store.deployments.find(id)?.cause_code, 'GATE_UNIT_DOWN');
    assert.match(findTask(store, id).summary, /being put back to sha256:old/);
    const other = start(t, { stage: 'ended' });
    forceStopTask(other.store, other.id, STOP);
    assert.equal(other.store.deployments.find(other.id)?.cause_code, null);
    assert.match(findTask(other.store, other.id).summary, /was not restarted/);
  });
});
