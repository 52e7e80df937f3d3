import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { someEvent } from '../../helpers/events.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { startProgram } from './program.ts';

const DAY_MS = 86_400_000;

describe('prune-state', () => {
  test('says what is older than it is kept for, and removes it', async (t) => {
    const stateDir = makeTempFolder(t);
    const { store, path } = openTestStore(t, stateDir);
    const old = Date.now() - 2 * DAY_MS;
    store.events.insertAll([
      someEvent({ ts: old }),
      someEvent({ ts: old }),
      someEvent({ ts: Date.now() }),
    ]);
    for (let at = 0; at < 13; at++) {
      const id = `tsk_${at}`;
      store.tasks.insert(newTask({ id, created_at: old + at }));
      store.tasks.finish({ id, attempts: 0 }, { status: 'failed', summary: '', at: old + at });
    }
    const environment = {
      ...{ PODUP_STATE_DIR: stateDir, PODUP_DB_URL: path },
      ...{ PODUP_EVENT_RETENTION: '1d', PODUP_TASK_RETENTION: '86400' },
    };
    const call = (...words: string[]) =>
      startProgram(t, ['prune-state', ...words], environment).ended;

    const counted = await call('--dry-run');
    assert.deepEqual(
      [counted.code, counted.stdout],
      [0, 'Would be removed: 3 tasks, 2 events.\n'],
      counted.stderr,
    );
    assert.equal(store.tasks.find('tsk_0')?.status, 'failed');
    const pruned = await call('--json');
    assert.equal(pruned.code, 0, pruned.stderr);
    const { dry_run, removed } = JSON.parse(pruned.stdout);
    assert.deepEqual([dry_run, removed.tasks, removed.events], [false, 3, 2]);
    assert.equal(store.tasks.find('tsk_2'), undefined);
    assert.equal(store.tasks.find('tsk_3')?.status, 'failed');
    assert.equal(store.events.verify().fault, null);
    assert.equal((await call()).stdout, 'Removed: nothing.\n');
  });
});
