import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { TaskRun, TaskTable } from '../../../app/db/tasks.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** A table with one task `tsk_1` whose first attempt runs. */
function start(context: TestContext): { tasks: TaskTable; attempt: TaskRun } {
  const { tasks } = openTestStore(context, makeTempFolder(context)).store;
  tasks.insert(newTask());
  return { tasks, attempt: run(tasks, 'tsk_1') };
}

/** Dispatches and claims a pending task. */
function run(tasks: TaskTable, id: string): TaskRun {
  assert.ok(tasks.markDispatched(id, 'child', 2));
  const attempt = attemptOf(tasks, id);
  assert.ok(tasks.claim(attempt, 3));
  return attempt;
}

/** A new task of that unit that waits until `notBefore`; null: it does not wait. */
function add(
  tasks: TaskTable,
  id: string,
  notBefore: number | null,
  { unit, at }: { readonly unit: string; readonly at: number },
): void {
  tasks.insert(newTask({ id, unit, created_at: at }));
  if (notBefore !== null) tasks.defer(run(tasks, id), notBefore, 4);
}

function dispatchable(tasks: TaskTable, nowMs: number): string[] {
  return tasks.listDispatchable(99, nowMs).map(({ id }) => id);
}

describe('a task that is given back because it is not time yet', () => {
  test('is pending again, knows when, and keeps what it knew', (t) => {
    const { tasks, attempt } = start(t);
    tasks.setEvidence(attempt, { registry_digest: 'r' }, 4);
    const before = tasks.find('tsk_1');
    assert.equal(tasks.defer(attempt, 500, 5), true);
    assert.deepEqual(tasks.find('tsk_1'), {
      ...before,
      ...{ status: 'pending', phase: 'waiting', executor: null, claimed_at: null },
      ...{ not_before: 500, deferrals: 1, updated_at: 5 },
    });
  });

  test('counts how often, apart from attempts that were lost', (t) => {
    const { tasks, attempt } = start(t);
    tasks.defer(attempt, 500, 5);
    tasks.release(run(tasks, 'tsk_1'), 6);
    tasks.defer(run(tasks, 'tsk_1'), 700, 7);
    const task = tasks.find('tsk_1');
    assert.deepEqual([task?.attempts, task?.deferrals, task?.not_before], [3, 2, 700]);
  });

  test('counts how often in a row it waited for a registry', (t) => {
    const { tasks, attempt } = start(t);
    const waits = () => tasks.find('tsk_1')?.rate_limit_waits;
    tasks.defer(attempt, 500, 5, 'rate-limit');
    assert.equal(waits(), 1);
    tasks.release(run(tasks, 'tsk_1'), 6);
    tasks.defer(run(tasks, 'tsk_1'), 700, 7, 'rate-limit');
    assert.deepEqual([waits(), tasks.find('tsk_1')?.deferrals], [2, 2]);
    tasks.defer(run(tasks, 'tsk_1'), 900, 8, 'policy');
    assert.deepEqual([waits(), tasks.find('tsk_1')?.deferrals], [0, 3]);
  });

  test('is not asked for again by a later delivery before a registry may be asked', (t) => {
    const { tasks, attempt } = start(t);
    tasks.defer(attempt, 500, 5);
    tasks.joinPending('tsk_1', 'new', 6);
    assert.equal(tasks.find('tsk_1')?.not_before, null);
    tasks.defer(run(tasks, 'tsk_1'), 700, 7, 'rate-limit');
    tasks.joinPending('tsk_1', 'newer', 8);
    const task = tasks.find('tsk_1');
    assert.deepEqual([task?.not_before, task?.webhook_digest], [700, 'newer']);
  });

  test('waits on for further deliveries where it has not begun, whoever joins it', (t) => {
    const { tasks } = start(t);
    tasks.insert(newTask({ id: 'tsk_2', unit: 'b.service', not_before: 900 }));
    tasks.joinPending('tsk_2', 'new', 6);
    const task = tasks.find('tsk_2');
    assert.deepEqual([task?.not_before, task?.webhook_digest], [900, 'new']);
  });

  test('can be joined by a later delivery, and cancelled', (t) => {
    const { tasks, attempt } = start(t);
    tasks.defer(attempt, 500, 5);
    assert.equal(tasks.findPending('web.service', 'ghcr.io/o/web:main')?.id, 'tsk_1');
    tasks.joinPending('tsk_1', 'new', 6);
    assert.equal(tasks.find('tsk_1')?.webhook_digest, 'new');
    const end = { status: 'cancelled', summary: 'x', at: 7 } as const;
    assert.equal(tasks.finish(attemptOf(tasks, 'tsk_1'), end), true);
    assert.deepEqual([tasks.nextDue(8), dispatchable(tasks, 9_999)], [undefined, []]);
  });

  for (const [title, prepare] of [
    ['not begun', (tasks: TaskTable, attempt: TaskRun) => tasks.release(attempt, 4)],
    ['given back already', (tasks: TaskTable, attempt: TaskRun) => tasks.defer(attempt, 400, 4)],
    [
      'in its next attempt',
      (tasks: TaskTable, attempt: TaskRun) => {
        tasks.release(attempt, 4);
        run(tasks, 'tsk_1');
      },
    ],
    [
      'over',
      (tasks: TaskTable, attempt: TaskRun) =>
        tasks.finish(attempt, { status: 'failed', summary: 'x', at: 4 }),
    ],
  ] as const)
    test(`is not given back where it is ${title}`, (t) => {
      const { tasks, attempt } = start(t);
      prepare(tasks, attempt);
      const before = tasks.find('tsk_1');
      assert.equal(tasks.defer(attempt, 500, 5), false);
      assert.deepEqual(tasks.find('tsk_1'), before);
    });
});

describe('the time of a task', () => {
  test('has come at that very millisecond', (t) => {
    const { tasks, attempt } = start(t);
    tasks.defer(attempt, 500, 5);
    assert.deepEqual([dispatchable(tasks, 499), tasks.nextDue(499)], [[], 500]);
    assert.deepEqual([dispatchable(tasks, 500), tasks.nextDue(500)], [['tsk_1'], undefined]);
  });

  test('is not looked at once it runs', (t) => {
    const { tasks, attempt } = start(t);
    tasks.defer(attempt, 500, 5);
    run(tasks, 'tsk_1');
    assert.deepEqual([tasks.nextDue(0), dispatchable(tasks, 9_999)], [undefined, []]);
  });

  test('is the earliest of all that wait', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    assert.equal(tasks.nextDue(0), undefined);
    for (const [index, due] of [700, 500, null, 600].entries())
      add(tasks, `tsk_${index}`, due, { unit: `${index}.service`, at: index });
    assert.deepEqual([0, 500, 600, 700].map(tasks.nextDue), [500, 600, 700, undefined]);
  });

  test('holds up no other unit', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    add(tasks, 'tsk_a', 500, { unit: 'a.service', at: 1 });
    add(tasks, 'tsk_b', null, { unit: 'b.service', at: 2 });
    assert.deepEqual(dispatchable(tasks, 100), ['tsk_b']);
    assert.deepEqual(dispatchable(tasks, 500), ['tsk_a', 'tsk_b']);
  });
});

test('for any tasks: who asks again at each next due time begins every unit in the end', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const { tasks } = store;
  const dues = fc.option(fc.nat(50), { nil: null });
  const undo = new Error('undo');
  fc.assert(
    fc.property(fc.array(fc.tuple(dues, fc.nat(3)), { maxLength: 12 }), (made) => {
      const check = () => {
        for (const [index, [due, unit]] of made.entries())
          add(tasks, `tsk_${10 + index}`, due, { unit: `${unit}.service`, at: index });
        let begun = 0;
        for (let now: number | undefined = 0; now !== undefined; now = tasks.nextDue(now))
          for (let [task] = tasks.listDispatchable(1, now); task; ) {
            assert.ok((task.not_before ?? 0) <= now, 'too early');
            const attempt = run(tasks, task.id);
            tasks.finish(attempt, { status: 'succeeded', summary: 'x', at: now });
            begun++;
            [task] = tasks.listDispatchable(1, now);
          }
        assert.equal(begun, made.length);
        throw undo;
      };
      assert.throws(
        () => store.transact(check),
        (error) => error === undo,
      );
    }),
    { numRuns: 50 },
  );
});
