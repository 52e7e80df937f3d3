import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Store } from '../../../../app/db/store.ts';
import { ListFeed } from '../../../../app/tasks/live/list-feed.ts';
import type { LiveReader } from '../../../../app/tasks/live/live-reader.ts';
import { TaskLogFeed } from '../../../../app/tasks/live/task-log-feed.ts';
import { viewStatus } from '../../../../app/updates/view-self-update.ts';
import { newTask, openTestStore } from '../../../helpers/store.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';
import { openUpdate, updateStatus } from '../../updates/update-fixture.ts';

const VIEW = viewStatus(updateStatus());

/** Commits that are told of when the test says so. */
function openCommits() {
  const listeners = new Set<() => void>();
  return {
    listeners,
    tell: () => {
      for (const listener of listeners) listener();
    },
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** A reader that keeps what it is told; while it is `held` it has not read enough to be told more. */
class FakeReader implements LiveReader {
  isOpen = true;
  text = '';
  held: Promise<unknown> | undefined;
  readonly #closers: (() => void)[] = [];

  send(frames: Buffer): void {
    this.text += String(frames);
  }
  async ready(): Promise<boolean> {
    await this.held;
    return this.isOpen;
  }
  end(frames: Buffer): void {
    this.send(frames);
    this.close();
  }
  onClose(listener: () => void): void {
    if (this.isOpen) this.#closers.push(listener);
    else listener();
  }
  close(): void {
    this.isOpen = false;
    for (const closer of this.#closers) closer();
  }
  count(event: string): number {
    return this.text.split(`event: ${event}\n`).length - 1;
  }
}

function open(context: TestContext, wrap: (store: Store) => Store = (store) => store) {
  const { store } = openTestStore(context, makeTempFolder(context));
  const commits = openCommits();
  const errors: unknown[] = [];
  const seen = wrap(store);
  const lists = new ListFeed(seen, commits, (error) => errors.push(error));
  const logs = new TaskLogFeed(seen, commits, (error) => errors.push(error));
  context.after(() => {
    lists.close();
    logs.close();
  });
  return { store, commits, errors, lists, logs };
}

function addTasks(store: Store, count: number, prefix = 'tsk'): void {
  store.transact(() => {
    for (let at = 0; at < count; at++) store.tasks.insert(newTask({ id: `${prefix}_${at}` }));
  });
}

describe('the feed of lists', () => {
  test('watches only while somebody reads', (t) => {
    const { commits, lists } = open(t);
    const [one, other, gone] = [new FakeReader(), new FakeReader(), new FakeReader()];
    lists.join(undefined, VIEW, one);
    lists.join(undefined, VIEW, other);
    assert.equal(commits.listeners.size, 1);
    one.close();
    assert.equal(commits.listeners.size, 1);
    other.close();
    assert.equal(commits.listeners.size, 0);
    gone.close();
    lists.join(undefined, VIEW, gone);
    assert.equal(commits.listeners.size, 0, 'one that had gone before it joined');
  });

  test('tells one that joined before the others were told nothing twice', (t) => {
    const { store, commits, lists } = open(t);
    const [early, late] = [new FakeReader(), new FakeReader()];
    lists.join(undefined, VIEW, early);
    addTasks(store, 1, 'before');
    lists.join({ change: 0, event: 0 }, VIEW, late);
    addTasks(store, 1, 'after');
    commits.tell();
    assert.deepEqual([early.count('task'), late.count('task')], [2, 2]);
  });

  test('one that still catches up hears the newest of an update', async (t) => {
    const { store, lists } = open(t);
    addTasks(store, 250);
    const reader = new FakeReader();
    const { promise, resolve } = Promise.withResolvers<void>();
    reader.held = promise;
    lists.join({ change: 0, event: 0 }, VIEW, reader);
    assert.deepEqual([reader.count('task'), reader.count('self-update')], [200, 0]);
    const newest = viewStatus(updateStatus({ change: 9, update: openUpdate() }));
    lists.tellUpdate(newest);
    resolve();
    while (reader.count('events') === 0) await new Promise(setImmediate);
    assert.deepEqual([reader.count('task'), reader.count('self-update')], [250, 1]);
    assert.ok(reader.text.includes(`event: self-update\ndata: ${JSON.stringify(newest)}\n`));
  });
});

describe('the feed of logs', () => {
  test('watches only while somebody reads', (t) => {
    const { store, commits, logs } = open(t);
    addTasks(store, 1);
    const reader = new FakeReader();
    logs.join('tsk_0', 0, reader);
    assert.equal(commits.listeners.size, 1);
    reader.close();
    assert.equal(commits.listeners.size, 0);
  });

  test('of a task that was removed says that it has gone', (t) => {
    const { store, commits, logs } = open(t, (real) => ({
      ...real,
      tasks: {
        ...real.tasks,
        statusesOf: () => (isGone ? new Map() : real.tasks.statusesOf(['tsk_0'])),
      },
    }));
    let isGone = false;
    addTasks(store, 1);
    const reader = new FakeReader();
    logs.join('tsk_0', 0, reader);
    isGone = true;
    commits.tell();
    assert.equal(reader.text, 'event: end\ndata: {"status":"gone"}\n\n');
  });
});

describe('a database that fails', () => {
  const failing = (real: Store): Store => ({
    ...real,
    taskLogs: {
      ...real.taskLogs,
      listAfter: () => {
        throw new Error('disk I/O error');
      },
      listNewer: () => {
        throw new Error('disk I/O error');
      },
    },
  });

  test('ends one that catches up, who comes again, and is told of', async (t) => {
    const { store, errors, logs } = open(t, failing);
    addTasks(store, 1);
    const reader = new FakeReader();
    logs.join('tsk_0', 0, reader);
    while (reader.isOpen) await new Promise(setImmediate);
    assert.deepEqual(errors.map(String), ['Error: disk I/O error']);
  });

  test('in a look does not end the process', async (t) => {
    let isSick = false;
    const { store, commits, errors, logs } = open(t, (real) => ({
      ...real,
      taskLogs: {
        ...real.taskLogs,
        listNewer: (id) => {
          if (isSick) throw new Error('disk I/O error');
          return real.taskLogs.listNewer(id);
        },
      },
    }));
    addTasks(store, 1);
    const reader = new FakeReader();
    logs.join('tsk_0', 0, reader);
    isSick = true;
    commits.tell();
    assert.deepEqual(errors.map(String), ['Error: disk I/O error']);
    assert.equal(reader.isOpen, true);
  });
});
