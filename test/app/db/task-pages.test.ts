import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { NewTask } from '../../../app/db/new-task.ts';
import type { TaskFilter } from '../../../app/db/task-pages.ts';
import type { TaskRow, TaskTable } from '../../../app/db/tasks.ts';
import { type FinalStatus, TASK_KINDS, TASK_STATUSES } from '../../../app/domain/task.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const UNITS = ['web.service', 'web-api.service', 'db.service'] as const;
const WORDS = ['Ticket 7', '100%', 'a_b', 'C:\\x', 'aXb', null] as const;
const BATCHES = ['bat_1', 'bat_2', null] as const;

type Drawn = {
  readonly over: Partial<NewTask>;
  readonly status: TaskRow['status'];
};

const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    kind: fc.constantFrom(...TASK_KINDS),
    unit: fc.constantFrom(...UNITS),
    image: fc.constantFrom('ghcr.io/o/web:main', null),
    created_at: fc.nat(6),
    trigger_reason: fc.constantFrom(...WORDS),
    trigger_caller: fc.constantFrom('admin at ::1', 'github:guid', null),
    batch_id: fc.constantFrom(...BATCHES),
  })
  .chain((over) => fc.constantFrom(...TASK_STATUSES).map((status) => ({ over, status })));

const CONDITIONS = {
  statuses: fc.subarray([...TASK_STATUSES], { minLength: 1 }),
  kinds: fc.subarray([...TASK_KINDS], { minLength: 1 }),
  unit: fc.constantFrom(...UNITS, 'none.service'),
  unitPart: fc.constantFrom('WEB', '-api', 'x', 'e', '_'),
  text: fc.constantFrom('ticket', '%', '_', 'a_b', '\\', 'PULL', 'guid', 'tsk_1', 'w', 'zz'),
  batchId: fc.constantFrom('bat_1', 'bat_3'),
  retryOf: fc.constantFrom('tsk_0', 'tsk_7', 'tsk_99'),
  from: fc.nat(7),
  to: fc.nat(7),
};

/** Few conditions at a time, or nothing would ever be found. */
const filters: fc.Arbitrary<TaskFilter> = fc
  .subarray(Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[], { maxLength: 3 })
  .chain((names) => {
    const chosen = names.map((name) => [name, CONDITIONS[name] as fc.Arbitrary<unknown>]);
    return fc.record(Object.fromEntries(chosen)) as fc.Arbitrary<TaskFilter>;
  });

/** The task of a place in a list of drawn ones, as far as the table lets it be. */
function add(tasks: TaskTable, { over, status }: Drawn, index: number): void {
  const id = `tsk_${(index * 7) % 30}`;
  const retry_of = index > 1 && index % 3 === 0 ? (index % 2 ? 'tsk_0' : 'tsk_7') : null;
  tasks.insert(newTask({ ...over, id, retry_of }));
  if (status !== 'pending') tasks.markDispatched(id, 'child', 1);
  if (status === 'pending' || status === 'running') return;
  const errorCode = status === 'failed' ? { errorCode: 'PULL_FAILED' as const } : {};
  const end = { status: status as FinalStatus, summary: `It ${status}.`, at: 2, ...errorCode };
  tasks.finish({ id, attempts: 1 }, end);
}

function isMeant(task: TaskRow, filter: TaskFilter): boolean {
  const has = (text: string | null, part: string) =>
    (text ?? '').toLowerCase().includes(part.toLowerCase());
  const { statuses, kinds, unit, unitPart, text, batchId, retryOf, from, to } = filter;
  const searched = [
    ...[task.summary, task.unit, task.image, task.error_code],
    ...[task.trigger_caller, task.trigger_reason, task.id],
  ];
  return [
    statuses === undefined || statuses.includes(task.status),
    kinds === undefined || kinds.includes(task.kind),
    unit === undefined || task.unit === unit,
    unitPart === undefined || has(task.unit, unitPart),
    text === undefined || searched.some((one) => has(one, text)),
    batchId === undefined || task.batch_id === batchId,
    retryOf === undefined || task.retry_of === retryOf,
    from === undefined || task.created_at >= from,
    to === undefined || task.created_at < to,
  ].every(Boolean);
}

function newestFirst(a: TaskRow, b: TaskRow): number {
  return b.created_at - a.created_at || (a.id < b.id ? 1 : -1);
}

describe('lists of tasks', () => {
  test('hold what the filter means, each once, newest first, over all pages; and so many are counted', (t) => {
    const { store } = openTestStore(t, makeTempFolder(t));
    const { tasks } = store;
    const undo = new Error('undo');
    let found = 0;
    const check = (all: readonly Drawn[], filter: TaskFilter, limit: number) => {
      all.forEach((one, index) => {
        add(tasks, one, index);
      });
      const expected = all
        .map((_, index) => tasks.find(`tsk_${(index * 7) % 30}`) as TaskRow)
        .filter((task) => isMeant(task, filter))
        .sort(newestFirst);
      const paged: TaskRow[] = [];
      for (let page = tasks.list({ ...filter, limit }); page.length > 0; ) {
        assert.ok(page.length <= limit);
        paged.push(...page);
        const last = page.at(-1) as TaskRow;
        const before = { createdAt: last.created_at, id: last.id };
        page = tasks.list({ ...filter, limit, before });
      }
      assert.deepEqual(paged, expected);
      for (const { status, kind, count } of tasks.count(filter)) {
        const same = expected.filter((one) => one.status === status && one.kind === kind);
        assert.equal(count, same.length, `${status} ${kind}`);
      }
      const total = tasks.count(filter).reduce((sum, { count }) => sum + count, 0);
      assert.equal(total, expected.length);
      found += expected.length;
      throw undo;
    };
    fc.assert(
      fc.property(
        fc.array(drawn, { minLength: 1, maxLength: 30 }),
        filters,
        fc.integer({ min: 1, max: 9 }),
        (all, filter, limit) => {
          try {
            store.transact(() => check(all, filter, limit));
          } catch (error) {
            if (error !== undo) throw error;
          }
        },
      ),
      { numRuns: 400 },
    );
    assert.ok(found > 400, `only ${found} tasks were found`);
  });

  test('end at a key, with it', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    for (let at = 1; at < 9; at++) tasks.insert(newTask({ id: `tsk_${at}`, created_at: at }));
    const since = { createdAt: 4, id: 'tsk_4' };
    const ids = (filter: TaskFilter) => tasks.list({ ...filter, limit: 9 }).map(({ id }) => id);
    assert.deepEqual(ids({ since, to: 7 }), ['tsk_6', 'tsk_5', 'tsk_4']);
    assert.deepEqual(ids({ since, from: 6 }), ['tsk_8', 'tsk_7', 'tsk_6']);
    assert.deepEqual(tasks.findNth({ to: 7 }, 2), since);
    assert.equal(tasks.findNth({ to: 7 }, 6), undefined);
  });

  test('of a batch tell how many have come to what, several at once', (t) => {
    const { tasks } = openTestStore(t, makeTempFolder(t)).store;
    for (const [id, batch_id] of [
      ['tsk_1', 'bat_1'],
      ['tsk_2', 'bat_1'],
      ['tsk_3', 'bat_1'],
      ['tsk_4', 'bat_2'],
      ['tsk_5', null],
      ['tsk_6', 'bat_4'],
    ] as const)
      tasks.insert(newTask({ id, batch_id }));
    tasks.markDispatched('tsk_2', 'child', 1);
    const counts = tasks.countBatches(['bat_1', 'bat_2', 'bat_3']);
    assert.deepEqual(
      counts.map(({ batch_id, status, count }) => `${batch_id} ${status} ${count}`).sort(),
      ['bat_1 pending 2', 'bat_1 running 1', 'bat_2 pending 1'],
    );
  });
});
