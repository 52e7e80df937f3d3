import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../app/db/store.ts';
import type { FinalStatus } from '../../../app/domain/task.ts';
import { newTask } from '../../helpers/store.ts';
import { makeFolder, openTestStore } from '../http/http-fixture.ts';

let count = 0;

function end(store: Store, unit: string, at: number, status: FinalStatus | 'running'): string {
  const id = `tsk_${String(count++).padStart(19, '0')}`;
  store.tasks.insert(newTask({ id, unit, created_at: at }));
  store.tasks.markDispatched(id, 'child', at);
  if (status !== 'running') {
    store.tasks.finish({ id, attempts: 1 }, { status, summary: 'It ended.', at: at + 1 });
  }
  return id;
}

test('of each unit the last failure is told until it succeeds', (t) => {
  const store = openTestStore(t, makeFolder(t));
  end(store, 'web.service', 10, 'failed');
  const last = end(store, 'web.service', 20, 'failed');
  end(store, 'web.service', 30, 'skipped');
  end(store, 'api.service', 10, 'failed');
  end(store, 'api.service', 20, 'succeeded');
  const later = end(store, 'db.service', 40, 'unknown');
  const ids = () => store.attention.listFailed(9).map(({ id }) => id);
  assert.deepEqual(ids(), [later, last]);
  assert.equal(store.attention.listFailed(1).length, 1);
  end(store, 'web.service', 50, 'succeeded');
  assert.deepEqual(ids(), [later]);
});

test('what runs too long and what waits though its time has come are stuck', (t) => {
  const store = openTestStore(t, makeFolder(t));
  const old = end(store, 'web.service', 10, 'running');
  end(store, 'api.service', 100, 'running');
  store.tasks.insert(newTask({ id: 'tsk_waits', unit: 'db.service', created_at: 20 }));
  const stuck = (begunBefore: number, dueBefore: number) =>
    store.attention.listStuck({ begunBefore, dueBefore }, 9).map(({ id }) => id);
  assert.deepEqual(stuck(50, 10), [old]);
  assert.deepEqual(stuck(5, 50), ['tsk_waits']);
  assert.deepEqual(stuck(5, 20), []);
});

test('what a person has seen is kept, the newest thousand of it', (t) => {
  const store = openTestStore(t, makeFolder(t));
  store.attention.mark('a', { seen_at: 1, seen_by: 'admin' });
  store.attention.mark('a', { seen_at: 2, seen_by: 'cli:me' });
  assert.deepEqual([...store.attention.marks()], [['a', { seen_at: 2, seen_by: 'cli:me' }]]);
  store.transact(() => {
    for (let at = 0; at < 1_000; at++) {
      store.attention.mark(`b${at}`, { seen_at: 10 + at, seen_by: 'x' });
    }
  });
  assert.equal(store.attention.marks().size, 1_000);
  assert.equal(store.attention.marks().has('a'), false);
});
