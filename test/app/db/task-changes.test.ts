import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { newTask, openTestStore } from '../../helpers/store.ts';

function open(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'podup changes '));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return openTestStore(context, folder).store;
}

describe('changes of tasks', () => {
  test('none at first', (t) => {
    const { taskChanges } = open(t);
    assert.deepEqual(taskChanges.range(), { oldest: 0, newest: 0 });
    assert.deepEqual(taskChanges.listAfter(0, 10), []);
  });

  test('the last ten thousand are known, also of tasks that are only made', (t) => {
    const store = open(t);
    store.transact(() => {
      for (let at = 0; at < 10_005; at++) store.tasks.insert(newTask({ id: `tsk_${at}` }));
    });
    assert.deepEqual(store.taskChanges.range(), { oldest: 6, newest: 10_005 });
  });

  test('the limit takes those first that changed first', (t) => {
    const store = open(t);
    for (const id of ['tsk_1', 'tsk_2', 'tsk_3']) store.tasks.insert(newTask({ id }));
    store.tasks.markDispatched('tsk_1', 'child', 5);
    const listed = store.taskChanges.listAfter(0, 2).map(({ id, seq }) => [id, seq]);
    assert.deepEqual(listed, [
      ['tsk_2', 2],
      ['tsk_3', 3],
    ]);
  });
});

describe('parts of a log', () => {
  test('are bounded by entries and by size, and say when there is no more', (t) => {
    const store = open(t);
    const { taskLogs } = store;
    store.tasks.insert(newTask({ id: 'tsk_1' }));
    const write = (meta: string | null) =>
      taskLogs.append({
        ...{ task_id: 'tsk_1', ts: 1, level: 'info', action: 'a', summary: 's' },
        meta,
      });
    assert.deepEqual(taskLogs.listAfter('tsk_1', 0), { rows: [], isEnd: true });
    for (let at = 0; at < 5; at++) write(`"${'x'.repeat(100_000)}"`);
    for (const part of [taskLogs.listAfter('tsk_1', 0), taskLogs.listNewer(0)]) {
      assert.deepEqual([part.rows.length, part.isEnd], [3, false]);
    }
    const rest = taskLogs.listAfter('tsk_1', 3);
    assert.deepEqual([rest.rows.map(({ id }) => id), rest.isEnd], [[4, 5], true]);
    store.transact(() => {
      for (let at = 0; at < 501; at++) write(null);
    });
    const many = taskLogs.listNewer(5);
    assert.deepEqual([many.rows.length, many.isEnd], [500, false]);
    assert.equal(taskLogs.newest(), 506);
  });
});
