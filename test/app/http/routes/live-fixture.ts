import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { NewTask } from '../../../../app/db/new-task.ts';
import type { Store } from '../../../../app/db/store.ts';
import { openStore } from '../../../../app/db/store.ts';
import { registerLiveStreams } from '../../../../app/http/routes/live-streams.ts';
import { createCommitSource } from '../../../../app/tasks/live/commit-source.ts';
import { createSelfUpdate } from '../../../../app/updates/self-update.ts';
import { loadSettings } from '../../../../shared/config/load-settings.ts';
import { newTask } from '../../../helpers/store.ts';
import { openFakeChannel } from '../../updates/fake-channel.ts';
import { makeState, updateStatus } from '../../updates/update-fixture.ts';
import { adminGate, defer, startApp, type TestApp } from '../http-fixture.ts';

export const TASK = 'tsk_1m8ch0v4v0ed4ka7xz2';

/** The application with everything under /sse; `other` is the database as another process has it. */
export async function startLive(
  context: TestContext,
  { wrap = (store: Store) => store } = {},
): Promise<
  TestApp & {
    readonly other: Store;
    readonly fake: ReturnType<typeof openFakeChannel>;
    readonly databasePath: string;
    readonly close: () => void;
    /** Something is ill in another way. */
    readonly changeHealth: () => void;
  }
> {
  const fake = openFakeChannel();
  fake.say(updateStatus());
  const paths = makeState(context);
  const result = loadSettings({ PODUP_STATE_DIR: paths.stateDir });
  if (!result.ok) throw new Error(result.faults.join());
  const { settings } = result.loaded;
  const selfUpdate = createSelfUpdate({ settings, paths, channel: fake.channel });
  let close = () => {};
  let changeHealth = () => {};
  const health = {
    onChange: (listener: () => void) => {
      changeHealth = listener;
    },
  };
  let databasePath = '';
  const app = await startApp(context, {
    prepare: (prepared, { store, folder, log }) => {
      databasePath = join(folder, 'data', 'test.db');
      const commits = createCommitSource(databasePath, log);
      const gate = adminGate();
      const parts = { store: wrap(store), commits, selfUpdate, gate, log, health };
      close = registerLiveStreams(prepared, parts);
    },
  });
  defer(context, () => close());
  const other = openStore(databasePath, { version: '0.0.0', nowMs: 1 });
  if (!other.ok) throw new Error(other.failure.detail);
  defer(context, () => other.value.close());
  return {
    ...{ ...app, other: other.value, fake, databasePath, close },
    changeHealth: () => changeHealth(),
  };
}

/** A task that runs. */
export function beginTask(store: Store, over: Partial<NewTask> = {}): void {
  const id = over.id ?? TASK;
  store.tasks.insert(newTask({ ...over, id }));
  store.tasks.markDispatched(id, 'child', 1);
  store.tasks.claim({ id, attempts: 1 }, 2);
}

/** An entry of its log. */
export function write(store: Store, summary: string, task = TASK, meta: unknown = null): void {
  store.taskLogs.append({
    ...{ task_id: task, ts: 5, level: 'info', action: 'test', summary },
    meta: meta === null ? null : JSON.stringify(meta),
  });
}

/** Ends the task as its process would. */
export function finish(store: Store, task = TASK): void {
  store.transact(() => {
    write(store, 'over', task);
    store.tasks.finish({ id: task, attempts: 1 }, { status: 'succeeded', summary: 'Done.', at: 9 });
  });
}
