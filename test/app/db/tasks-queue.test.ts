import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { NewTask } from '../../../app/db/new-task.ts';
import type { Store } from '../../../app/db/store.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const UNIT = 'web.service';
const IMAGE = 'ghcr.io/o/web:main';

function start(context: TestContext): Store {
  return openTestStore(context, makeTempFolder(context)).store;
}

/** A task that has touched its unit, and is to go on. */
function openDeployment({ deployments }: Store, id: string): void {
  deployments.save({
    ...{ task_id: id, unit: UNIT, image: IMAGE, wanted_digest: 'sha256:c', dependents: '[]' },
    ...{ former_image_id: null, former_digest: null, held_as: null, cause_code: null },
    ...{ wanted_image_id: null, restart_unit: null, write_image: null, is_brought: 0 },
    ...({ cause_detail: null, stage: 'back', updated_at: 101 } as const),
  });
}

describe('a push', () => {
  const ROWS: readonly [string, Partial<NewTask>, (store: Store) => void, boolean][] = [
    ['an earlier push that waits', {}, () => undefined, true],
    ['a version that a person chose', { kind: 'manual', wanted: ':1' }, () => undefined, false],
    ['a wish of a person', { kind: 'manual' }, () => undefined, false],
    [
      'a task that is to be stopped',
      {},
      ({ tasks }) => void tasks.requestStop('tsk_1', 'x', 5),
      false,
    ],
    ['a task that has touched the unit', {}, (store) => openDeployment(store, 'tsk_1'), false],
  ];
  for (const [title, over, change, isJoined] of ROWS) {
    test(`${isJoined ? 'joins' : 'does not join'} ${title}`, (t) => {
      const store = start(t);
      store.tasks.insert(newTask(over));
      change(store);
      assert.equal(store.tasks.findPending(UNIT, IMAGE)?.id, isJoined ? 'tsk_1' : undefined);
    });
  }
});

describe('a task that waits for its time', () => {
  for (const [title, isOpen, begun] of [
    ['holds nobody back', false, ['tsk_2']],
    ['and has touched the unit holds the others of it back', true, []],
  ] as const) {
    test(title, (t) => {
      const store = start(t);
      const { tasks } = store;
      tasks.insert(newTask({ id: 'tsk_1', created_at: 1 }));
      tasks.markDispatched('tsk_1', 'child', 2);
      const attempt = attemptOf(tasks, 'tsk_1');
      tasks.claim(attempt, 3);
      tasks.defer(attempt, 500, 4);
      if (isOpen) openDeployment(store, 'tsk_1');
      tasks.insert(newTask({ id: 'tsk_2', kind: 'manual', created_at: 2 }));
      const list = (nowMs: number) => tasks.listDispatchable(9, nowMs).map(({ id }) => id);
      assert.deepEqual(list(499), begun);
      assert.deepEqual(list(500), ['tsk_1']);
    });
  }

  test('for its host counts that apart', (t) => {
    const { tasks } = start(t);
    tasks.insert(newTask());
    for (const why of ['policy', 'unreachable', 'rate-limit', 'unreachable'] as const) {
      tasks.markDispatched('tsk_1', 'child', 2);
      const attempt = attemptOf(tasks, 'tsk_1');
      tasks.claim(attempt, 3);
      tasks.defer(attempt, 1, 4, why);
    }
    const task = tasks.find('tsk_1');
    assert.deepEqual([task?.deferrals, task?.host_waits, task?.rate_limit_waits], [4, 2, 0]);
  });
});
