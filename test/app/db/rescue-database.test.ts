import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { identifyDatabase } from '../../../app/db/identify-database.ts';
import {
  adoptRescued,
  findOccupant,
  placeRescued,
  rescueDatabase,
  setStaleLogAside,
} from '../../../app/db/rescue-database.ts';
import { openStore } from '../../../app/db/store.ts';
import { realFiles } from '../../../shared/fs/files.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

/** An open database with one task, and which files it has. */
function prepare(context: TestContext) {
  const { store, path } = openTestStore(context, makeTempFolder(context));
  store.tasks.insert(newTask());
  const files = identifyDatabase(path);
  const rescue = () => rescueDatabase(path, files, (file) => store.copyInto(file));
  return { store, path, files, rescue };
}

/** How many tasks the database at a path has; whoever had it open has another one. */
function countTasks(path: string): number {
  const opened = openStore(path, { version: '0', nowMs: 1 });
  assert.ok(opened.ok, JSON.stringify(opened));
  const { length } = opened.value.tasks.list({ limit: 9 });
  opened.value.close();
  return length;
}

describe('a database that has lost its name', () => {
  test('is copied whole and takes its path again, while the former one is still open', (t) => {
    const { store, path, rescue } = prepare(t);
    for (const side of ['', '-wal', '-shm']) rmSync(`${path}${side}`);
    const staged = rescue();
    assert.ok(staged.ok);
    assert.ok(placeRescued(staged.value, path, undefined).ok);
    store.close();
    assert.equal(countTasks(path), 1);
    assert.equal(existsSync(staged.value), false);
  });

  test('is a copy only once that is on the disk', (t) => {
    const { path, rescue } = prepare(t);
    for (const side of ['', '-wal', '-shm']) rmSync(`${path}${side}`);
    const sync = t.mock.method(realFiles, 'sync', () => {
      assert.ok(existsSync(`${path}.rescued`));
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    const rescued = rescue();
    assert.equal(!rescued.ok && rescued.failure.code, 'DATABASE_DISK_FULL');
    assert.equal(sync.mock.callCount(), 1);
    assert.equal(existsSync(`${path}.rescued`), false);
  });

  test('is not written to another file system: that is the place of a volume that is away', (t) => {
    const { store, path, files } = prepare(t);
    const elsewhere = { ...files, device: (files.device ?? 0) + 1 };
    const refused = rescueDatabase(path, elsewhere, (file) => store.copyInto(file));
    assert.ok(!refused.ok);
    assert.match(refused.failure.detail, /another file system/);
    assert.equal(existsSync(`${path}.rescued`), false);
  });

  test('what a copy cannot be made of leaves nothing', (t) => {
    const { path, files } = prepare(t);
    const refused = rescueDatabase(path, files, (file) => {
      writeFileSync(file, 'half');
      throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
    });
    assert.equal(refused.ok ? '' : refused.failure.code, 'DATABASE_DISK_FULL');
    assert.equal(existsSync(`${path}.rescued`), false);
  });

  test('keeps what another has put at its path meanwhile', (t) => {
    const { store, path, rescue } = prepare(t);
    writeFileSync(`${path}.new`, 'of somebody');
    renameSync(`${path}.new`, path);
    const staged = rescue();
    assert.ok(staged.ok);
    assert.ok(placeRescued(staged.value, path, `${path}.replaced-1`).ok);
    store.close();
    assert.equal(readFileSync(`${path}.replaced-1`, 'utf8'), 'of somebody');
    assert.equal(countTasks(path), 1);
  });
});

describe('what lies at the path', () => {
  test('is the open one itself, nothing of worth, or another one, whose log is not ours', (t) => {
    const { path, files } = prepare(t);
    assert.equal(findOccupant(path, files), 'own');
    writeFileSync(`${path}.new`, 'of somebody');
    renameSync(`${path}.new`, path);
    assert.equal(findOccupant(path, files), 'worthless');
    assert.equal(existsSync(`${path}-wal`), false, 'it would be read into the other');
    const empty = openTestStore(t, makeTempFolder(t));
    empty.store.close();
    renameSync(empty.path, path);
    assert.equal(findOccupant(path, files), 'worthless');
    const other = openTestStore(t, makeTempFolder(t));
    other.store.tasks.insert(newTask());
    other.store.close();
    renameSync(other.path, path);
    assert.equal(findOccupant(path, files), 'other');
  });

  test('the log of a damaged one is set aside before another is opened, and never that of the same', (t) => {
    const { store, path, files } = prepare(t);
    setStaleLogAside(path, files);
    assert.ok(existsSync(`${path}-wal`));
    writeFileSync(`${path}.new`, 'another');
    renameSync(`${path}.new`, path);
    const synced = t.mock.method(realFiles, 'syncDirectory');
    setStaleLogAside(path, files);
    // Once for the new name, once for those that are gone.
    assert.equal(synced.mock.callCount(), 2);
    assert.ok(existsSync(`${path}.damaged-wal`));
    assert.equal(existsSync(`${path}-wal`), false);
    store.close();
  });
});

describe('a copy whose name a crash kept back', () => {
  test('takes the path where nothing lies there, is dropped where something does, and where it is cut off', (t) => {
    const { store, path, rescue } = prepare(t);
    assert.ok(rescue().ok);
    store.close();
    adoptRescued(path);
    assert.equal(existsSync(`${path}.rescued`), false, 'the database is there');
    renameSync(path, `${path}.rescued`);
    adoptRescued(path);
    assert.equal(countTasks(path), 1);
    rmSync(path);
    writeFileSync(`${path}.rescued`, 'SQLite format 3\0 and no more');
    adoptRescued(path);
    assert.deepEqual([existsSync(path), existsSync(`${path}.rescued`)], [false, false]);
  });
});
