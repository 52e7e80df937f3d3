import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { DeploymentRow } from '../../../app/db/deployments.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

function deployment(over: Partial<DeploymentRow> = {}): DeploymentRow {
  return {
    task_id: 'tsk_1',
    unit: 'web.service',
    image: 'ghcr.io/o/web:main',
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
    updated_at: 5,
    ...over,
  };
}

/** A store with the tasks `tsk_1` to `tsk_4`. */
function open(context: TestContext) {
  const { store, path } = openTestStore(context, makeTempFolder(context));
  for (const id of ['tsk_1', 'tsk_2', 'tsk_3', 'tsk_4']) store.tasks.insert(newTask({ id }));
  return { store, path };
}

describe('the deployments table', () => {
  test('knows what was saved of a task, and nothing of others', (t) => {
    const { deployments } = open(t).store;
    deployments.save(deployment());
    assert.deepEqual(deployments.find('tsk_1'), deployment());
    assert.equal(deployments.find('tsk_2'), undefined);
  });

  test('knows the images that another deployment needs which is not over', (t) => {
    const { deployments } = open(t).store;
    deployments.save(deployment({ wanted_image_id: 'i2' }));
    const needs = (id: string, task = 'tsk_2') => deployments.isNeeded(id, task);
    assert.deepEqual([needs('i1'), needs('i2'), needs('i3')], [true, true, false]);
    assert.deepEqual([needs('i1', 'tsk_1'), needs('i2', 'tsk_1')], [false, false]);
    deployments.save(deployment({ wanted_image_id: 'i2', stage: 'back' }));
    assert.equal(needs('i2'), true);
    deployments.save(deployment({ wanted_image_id: 'i2', stage: 'ended' }));
    assert.deepEqual([needs('i1'), needs('i2')], [false, false]);
  });

  test('has what was saved also for another process, at once', (t) => {
    const { store, path } = open(t);
    store.deployments.save(deployment());
    const folder = path.slice(0, path.lastIndexOf('/data/'));
    const other = openTestStore(t, folder).store;
    assert.deepEqual(other.deployments.find('tsk_1'), deployment());
  });

  test('replaces everything that an earlier attempt has saved', (t) => {
    const { deployments } = open(t).store;
    deployments.save(deployment());
    deployments.save(deployment({ task_id: 'tsk_2' }));
    const later = deployment({
      image: 'ghcr.io/o/web:other',
      wanted_digest: 'sha256:newer',
      former_image_id: null,
      former_digest: null,
      held_as: null,
      dependents: '[]',
      stage: 'back',
      cause_code: 'GATE_UNIT_DOWN',
      cause_detail: 'It is failed.',
      updated_at: 6,
    });
    deployments.save(later);
    assert.deepEqual(deployments.find('tsk_1'), later);
    assert.deepEqual(deployments.find('tsk_2'), deployment({ task_id: 'tsk_2' }));
  });

  test('finds what a task of the unit that is over has left open, the latest, until another has taken it over', (t) => {
    const { deployments, tasks } = open(t).store;
    const rows = [
      deployment({ task_id: 'tsk_1', updated_at: 30 }),
      deployment({ task_id: 'tsk_2', updated_at: 40, stage: 'ended' }),
      deployment({ task_id: 'tsk_3', updated_at: 20, stage: 'back' }),
      deployment({ task_id: 'tsk_4', updated_at: 50, unit: 'db.service' }),
    ];
    for (const row of rows) deployments.save(row);
    const find = () => deployments.findAbandoned('web.service', 'tsk_new')?.task_id;
    assert.equal(find(), undefined, 'their tasks are not over');
    const finish = (id: string) =>
      tasks.finish({ id, attempts: 0 }, { status: 'failed', summary: 'x', at: 1 });
    for (const id of ['tsk_2', 'tsk_3', 'tsk_4']) finish(id);
    assert.equal(find(), 'tsk_3');
    finish('tsk_1');
    assert.equal(find(), 'tsk_1');
    assert.equal(deployments.findAbandoned('web.service', 'tsk_1')?.task_id, 'tsk_3');
    deployments.endAbandoned('web.service', 'tsk_1');
    assert.deepEqual(
      ['tsk_1', 'tsk_3', 'tsk_4'].map((id) => deployments.find(id)?.stage),
      ['forward', 'ended', 'forward'],
    );
  });

  test('refuses what the schema forbids', (t) => {
    const { deployments } = open(t).store;
    const sideways = 'sideways' as DeploymentRow['stage'];
    assert.throws(() => deployments.save(deployment({ stage: sideways })), /CHECK/);
    assert.throws(() => deployments.save(deployment({ task_id: 'tsk_none' })), /FOREIGN KEY/);
  });

  test('knows how long a unit was down, the newest first', (t) => {
    const { deployments } = open(t).store;
    for (const [index, ms] of [900, 700, 800].entries()) {
      deployments.save(deployment({ task_id: `tsk_${index + 1}`, updated_at: index }));
      deployments.noteDown(`tsk_${index + 1}`, ms);
    }
    deployments.save(deployment({ task_id: 'tsk_4', unit: 'db.service' }));
    deployments.noteDown('tsk_4', 1);
    assert.deepEqual(deployments.listDowns('web.service', 2), [800, 700]);
    deployments.save(deployment({ task_id: 'tsk_3', updated_at: 2, stage: 'ended' }));
    assert.deepEqual(deployments.listDowns('web.service', 1), [800]);
  });
});
