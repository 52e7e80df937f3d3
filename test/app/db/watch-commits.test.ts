import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { watchCommits } from '../../../app/db/watch-commits.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { until } from '../../helpers/until.ts';

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'podup watch '));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('watch commits', () => {
  test('tells of each commit, and of nothing else in the folder', async (t) => {
    const { store, path } = openTestStore(t, makeFolder(t));
    let told = 0;
    const polling: unknown[] = [];
    const watch = watchCommits(
      path,
      () => told++,
      (error) => polling.push(error),
    );
    t.after(() => watch.close());
    store.tasks.insert(newTask({ id: 'tsk_1' }));
    await until('the commit', 20_000, () => told > 0);
    const before = told;
    writeFileSync(`${path}-other`, 'x');
    store.tasks.insert(newTask({ id: 'tsk_2' }));
    await until('the next', 20_000, () => told > before);
    assert.deepEqual(polling, []);
  });

  test('tells again and again, for a commit can be seen only later than it is written', async (t) => {
    const { store, path } = openTestStore(t, makeFolder(t));
    let told = 0;
    const watch = watchCommits(path, () => told++);
    t.after(() => watch.close());
    t.mock.timers.enable({ apis: ['setTimeout'] });
    store.tasks.insert(newTask({ id: 'tsk_1' }));
    while (told === 0) await new Promise(setImmediate);
    // All that the kernel had to tell.
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    const before = told;
    for (const ms of [100, 300, 1_100, 3_500]) t.mock.timers.tick(ms);
    assert.equal(told, before + 4);
    t.mock.timers.tick(60_000);
    assert.equal(told, before + 4);
  });

  test('looks by the clock where nothing can be watched, and says so', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const polling: unknown[] = [];
    let told = 0;
    const path = join(makeFolder(t), 'no', 'where.db');
    const watch = watchCommits(
      path,
      () => told++,
      (error) => polling.push(error),
    );
    assert.equal((polling[0] as NodeJS.ErrnoException).code, 'ENOENT');
    t.mock.timers.tick(2_000);
    assert.equal(told, 2);
    watch.close();
    t.mock.timers.tick(5_000);
    assert.equal(told, 2);
  });
});
