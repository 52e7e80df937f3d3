import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Store } from '../../../app/db/store.ts';
import type { TaskRow, TaskTable } from '../../../app/db/tasks.ts';
import { isFinal, TASK_STATUSES } from '../../../app/domain/task.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const FINAL = TASK_STATUSES.filter(isFinal);
const IDS = ['tsk_a', 'tsk_b', 'tsk_c', 'tsk_d', 'tsk_e', 'tsk_f'] as const;
const UNITS = ['web.service', 'db.service'] as const;
const IMAGES = ['ghcr.io/o/web:main', null] as const;

type Operation = (tasks: TaskTable, at: number) => unknown;

const ids = fc.constantFrom(...IDS);

/** Operations on one task. */
function onOne(
  act: (tasks: TaskTable, id: string, at: number) => unknown,
): fc.Arbitrary<Operation> {
  return ids.map((id) => (tasks: TaskTable, at: number) => act(tasks, id, at));
}

const insertions: fc.Arbitrary<Operation> = fc
  .tuple(ids, fc.constantFrom(...UNITS), fc.constantFrom(...IMAGES), fc.nat(5))
  .map(([id, unit, image, created_at]) => (tasks: TaskTable) => {
    if (!tasks.find(id)) tasks.insert(newTask({ id, unit, image, created_at }));
  });
const dispatches: fc.Arbitrary<Operation> = fc.constant((tasks: TaskTable, at: number) => {
  const [task] = tasks.listDispatchable(1, Date.now());
  if (task) tasks.markDispatched(task.id, 'child', at);
});
const ends: fc.Arbitrary<Operation> = fc
  .tuple(ids, fc.constantFrom(...FINAL))
  .map(([id, status]) => (tasks: TaskTable, at: number) => {
    tasks.finish(attemptOf(tasks, id), {
      status,
      summary: status,
      errorCode: 'INTERNAL',
      errorDetail: 'x',
      at,
    });
  });
const operations = fc.oneof(
  { weight: 3, arbitrary: insertions },
  dispatches,
  ends,
  onOne((tasks, id, at) => tasks.claim(attemptOf(tasks, id), at)),
  onOne((tasks, id, at) => tasks.release(attemptOf(tasks, id), at)),
  onOne((tasks, id, at) => tasks.joinPending(id, `digest ${at}`, at)),
  onOne((tasks, id, at) => tasks.setPhase(attemptOf(tasks, id), 'pulling-image', at)),
  onOne((tasks, id, at) =>
    tasks.setEvidence(attemptOf(tasks, id), { pulled_digest: `digest ${at}` }, at),
  ),
);

function all(tasks: TaskTable): TaskRow[] {
  return tasks.list({ limit: 1000 });
}

function isOlder(a: TaskRow, b: TaskRow): boolean {
  return a.created_at < b.created_at || (a.created_at === b.created_at && a.id < b.id);
}

/** Runs `check` in a transaction that is undone, so that one database serves a whole property. */
function undone(store: Store, check: () => void): void {
  const undo = new Error('undo');
  const act = () => {
    check();
    throw undo;
  };
  try {
    store.transact(act);
  } catch (error) {
    if (error !== undo) throw error;
  }
}

function checkDispatchable(tasks: TaskTable): void {
  const rows = all(tasks);
  const expected = rows
    .filter((task) => task.status === 'pending')
    .filter((task) => !rows.some((other) => other.unit === task.unit && other.status === 'running'))
    .filter((task) => {
      const isTwin = (other: TaskRow) => other.image !== null && other.image === task.image;
      return !rows.some((other) => other.status === 'running' && isTwin(other));
    })
    .filter(
      (task) =>
        !rows.some(
          (other) => other.unit === task.unit && other.status === 'pending' && isOlder(other, task),
        ),
    )
    .sort((a, b) => (isOlder(a, b) ? -1 : 1));
  assert.deepEqual(tasks.listDispatchable(1000, Date.now()), expected);
  assert.deepEqual(tasks.listDispatchable(1, Date.now()), expected.slice(0, 1));
  for (const unit of UNITS) {
    const running = tasks.listRunning().filter((task) => task.unit === unit);
    assert.ok(running.length <= 1, `${running.length} run for ${unit}`);
  }
}

test('over random operations a final task never changes and a unit never has two running', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const { tasks } = store;
  fc.assert(
    fc.property(fc.array(operations, { maxLength: 40, size: 'max' }), (sequence) =>
      undone(store, () => {
        const ended = new Map<string, TaskRow>();
        sequence.forEach((operate, index) => {
          operate(tasks, 100 + index);
          for (const task of all(tasks)) {
            const before = ended.get(task.id);
            if (before) assert.deepEqual(task, before);
            else if (isFinal(task.status)) ended.set(task.id, task);
          }
          checkDispatchable(tasks);
        });
        assert.equal(tasks.countRunning(), tasks.listRunning().length);
      }),
    ),
    { numRuns: 150 },
  );
});

test('paging gives every task once, newest first, whatever the filters and the ties', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const { tasks } = store;
  const times = fc.array(fc.nat(3), { maxLength: 25 });
  const filters = fc.record(
    { unit: fc.constantFrom(...UNITS), status: fc.constantFrom('pending', 'running') },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 7 }), filters, (created, limit, filter) =>
      undone(store, () => {
        created.forEach((created_at, index) => {
          const unit = UNITS[index % 2] ?? UNITS[0];
          tasks.insert(newTask({ id: `tsk_${(index * 7) % 25}`, unit, created_at }));
          if (index % 3 === 0) tasks.markDispatched(`tsk_${(index * 7) % 25}`, 'child', 1);
        });
        const { unit, status } = filter as { unit?: string; status?: 'pending' | 'running' };
        const used = { ...(unit && { unit }), ...(status && { statuses: [status] }) };
        const paged: TaskRow[] = [];
        for (let page = tasks.list({ limit, ...used }); page.length > 0; ) {
          paged.push(...page);
          const last = page.at(-1) as TaskRow;
          const before = { createdAt: last.created_at, id: last.id };
          page = tasks.list({ limit, ...used, before });
        }
        const expected = all(tasks)
          .filter((task) => unit === undefined || task.unit === unit)
          .filter((task) => status === undefined || task.status === status)
          .sort((a, b) => (isOlder(a, b) ? 1 : -1));
        assert.deepEqual(paged, expected);
      }),
    ),
  );
});

describe('the life of a task', () => {
  test('begins pending and queued, with nothing known', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask({ webhook_digest: 'd' }));
    const task = tasks.find('tsk_1');
    assert.deepEqual(
      [task?.status, task?.phase, task?.attempts, task?.started_at, task?.webhook_digest],
      ['pending', 'queued', 0, null, 'd'],
    );
    assert.equal(tasks.find('tsk_none'), undefined);
  });

  test('is dispatched once, claimed once, and ends once', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    assert.equal(tasks.claim(attemptOf(tasks, 'tsk_1'), 1), false);
    assert.equal(tasks.markDispatched('tsk_1', 'systemd-run', 2), true);
    assert.equal(tasks.markDispatched('tsk_1', 'child', 3), false);
    assert.equal(tasks.claim(attemptOf(tasks, 'tsk_1'), 4), true);
    assert.equal(tasks.claim(attemptOf(tasks, 'tsk_1'), 5), false);
    const end = { status: 'failed', summary: 'No.', errorCode: 'PULL_FAILED', at: 6 } as const;
    assert.equal(tasks.finish(attemptOf(tasks, 'tsk_1'), { ...end, errorDetail: 'x' }), true);
    assert.equal(tasks.finish(attemptOf(tasks, 'tsk_1'), { ...end, status: 'succeeded' }), false);
    assert.equal(tasks.release(attemptOf(tasks, 'tsk_1'), 7), false);
    const { executor, attempts, started_at, finished_at, ...task } = tasks.find('tsk_1') as TaskRow;
    assert.deepEqual([executor, attempts, started_at, finished_at], ['systemd-run', 1, 4, 6]);
    assert.deepEqual(
      [task.phase, task.error_code, task.error_detail],
      ['done', 'PULL_FAILED', 'x'],
    );
  });

  test('is over when it is final: late writers change nothing', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    tasks.markDispatched('tsk_1', 'child', 1);
    tasks.finish(attemptOf(tasks, 'tsk_1'), { status: 'failed', summary: 'x', at: 2 });
    const ended = tasks.find('tsk_1');
    tasks.setPhase(attemptOf(tasks, 'tsk_1'), 'verifying', 3);
    tasks.setEvidence(attemptOf(tasks, 'tsk_1'), { running_digest: 'late' }, 3);
    tasks.joinPending('tsk_1', 'late', 3);
    tasks.release(attemptOf(tasks, 'tsk_1'), 3);
    tasks.claim(attemptOf(tasks, 'tsk_1'), 3);
    assert.deepEqual(tasks.find('tsk_1'), ended);
  });

  test('begins again after its process is gone, and counts the attempts', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    tasks.markDispatched('tsk_1', 'child', 1);
    tasks.claim(attemptOf(tasks, 'tsk_1'), 2);
    assert.equal(tasks.release(attemptOf(tasks, 'tsk_1'), 3), true);
    assert.equal(tasks.release(attemptOf(tasks, 'tsk_1'), 4), false);
    tasks.markDispatched('tsk_1', 'child', 5);
    assert.equal(tasks.claim(attemptOf(tasks, 'tsk_1'), 6), true);
    const task = tasks.find('tsk_1');
    assert.deepEqual([task?.attempts, task?.started_at, task?.claimed_at], [2, 2, 6]);
  });

  test('can end before it began', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    assert.equal(
      tasks.finish(attemptOf(tasks, 'tsk_1'), { status: 'cancelled', summary: 'x', at: 1 }),
      true,
    );
    assert.equal(tasks.find('tsk_1')?.error_code, null);
  });

  test('gathers evidence while it runs and never loses what it knew', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask());
    tasks.setEvidence(attemptOf(tasks, 'tsk_1'), { pulled_digest: 'too early' }, 1);
    tasks.setPhase(attemptOf(tasks, 'tsk_1'), 'verifying', 1);
    tasks.markDispatched('tsk_1', 'child', 2);
    tasks.setPhase(attemptOf(tasks, 'tsk_1'), 'pulling-image', 3);
    tasks.setEvidence(attemptOf(tasks, 'tsk_1'), { registry_digest: 'r', image: 'i' }, 4);
    tasks.setEvidence(
      attemptOf(tasks, 'tsk_1'),
      { pulled_digest: 'p', running_digest: 'q', running_image: 'n' },
      5,
    );
    const task = tasks.find('tsk_1') as TaskRow;
    assert.equal(task.phase, 'pulling-image');
    assert.deepEqual(
      [
        task.image,
        task.registry_digest,
        task.pulled_digest,
        task.running_digest,
        task.running_image,
      ],
      ['i', 'r', 'p', 'q', 'n'],
    );
    assert.equal(task.updated_at, 5);
  });
});

describe('a later delivery', () => {
  test('finds the newest pending task of the same unit and image', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask({ id: 'tsk_1', created_at: 1 }));
    tasks.insert(newTask({ id: 'tsk_2', created_at: 2 }));
    tasks.insert(newTask({ id: 'tsk_3', created_at: 3, unit: 'db.service' }));
    tasks.insert(newTask({ id: 'tsk_4', created_at: 4, image: null }));
    tasks.insert(newTask({ id: 'tsk_5', created_at: 5 }));
    tasks.markDispatched('tsk_5', 'child', 6);
    assert.equal(tasks.findPending('web.service', 'ghcr.io/o/web:main')?.id, 'tsk_2');
    assert.equal(tasks.findPending('web.service', null)?.id, 'tsk_4');
    assert.equal(tasks.findPending('db.service', null), undefined);
  });

  test('brings its digest to a pending task, and takes none away', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    tasks.insert(newTask({ webhook_digest: 'old' }));
    tasks.joinPending('tsk_1', null, 2);
    assert.equal(tasks.find('tsk_1')?.webhook_digest, 'old');
    tasks.joinPending('tsk_1', 'new', 3);
    assert.equal(tasks.find('tsk_1')?.webhook_digest, 'new');
    tasks.markDispatched('tsk_1', 'child', 4);
    tasks.joinPending('tsk_1', 'too late', 5);
    assert.equal(tasks.find('tsk_1')?.webhook_digest, 'new');
  });
});

describe('a process that was given up for dead and is not', () => {
  test('can write nothing into the attempt that took its place', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    const { tasks } = store;
    tasks.insert(newTask({ id: 'tsk_1' }));
    tasks.markDispatched('tsk_1', 'child', 1);
    const stale = attemptOf(tasks, 'tsk_1');
    assert.ok(tasks.claim(stale, 2));
    assert.ok(tasks.release(stale, 3));
    tasks.markDispatched('tsk_1', 'child', 4);
    assert.equal(tasks.claim(stale, 5), false);
    const current = attemptOf(tasks, 'tsk_1');
    assert.ok(tasks.claim(current, 6));
    const before = tasks.find('tsk_1');
    tasks.setPhase(stale, 'restarting', 7);
    tasks.setEvidence(stale, { running_digest: 'sha256:stale' }, 7);
    assert.equal(tasks.release(stale, 7), false);
    assert.equal(tasks.finish(stale, { status: 'failed', summary: 'x', at: 7 }), false);
    assert.deepEqual(tasks.find('tsk_1'), before);
    assert.ok(tasks.finish(current, { status: 'succeeded', summary: 'x', at: 8 }));
  });
});

describe('a task that is born with its final state', () => {
  const done = {
    id: 'tsk_z',
    kind: 'self-update',
    status: 'failed',
    unit: 'web.service',
    created_at: 1_000,
    started_at: 1_000,
    finished_at: 2_000,
    summary: 'The self-update failed.',
    error_code: 'UPDATE_START_FAILED',
    error_detail: 'It ended with 1.',
    trigger_source: 'self-update-runner',
    trigger_request_id: 'a.json',
    trigger_path: null,
    trigger_caller: null,
    trigger_reason: 'v2.0.0',
  } as const;

  test('is inserted once, and nobody is to carry it out', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    assert.equal(store.tasks.insertFinal(done), true);
    assert.equal(store.tasks.insertFinal({ ...done, status: 'succeeded' }), false);
    const row = store.tasks.find('tsk_z');
    assert.deepEqual({ ...row, ...done }, row);
    assert.deepEqual([row?.phase, row?.updated_at, row?.attempts], ['done', 2_000, 0]);
    assert.deepEqual(
      [store.tasks.listDispatchable(9, Date.now()), store.tasks.listRunning()],
      [[], []],
    );
  });

  test('does not keep a task of the same unit from being dispatched', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    store.tasks.insertFinal(done);
    store.tasks.insert(newTask());
    assert.deepEqual(
      store.tasks.listDispatchable(9, Date.now()).map(({ id }) => id),
      ['tsk_1'],
    );
  });
});
