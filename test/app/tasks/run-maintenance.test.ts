import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { listBackups } from '../../../app/backups/backup-folder.ts';
import type { Store } from '../../../app/db/store.ts';
import { openLocalHost } from '../../../app/host/open-host.ts';
import { makeMaintenanceTask } from '../../../app/tasks/make-maintenance-task.ts';
import { createManualTasks } from '../../../app/tasks/manual-tasks.ts';
import { runTask } from '../../../app/tasks/run-task.ts';
import { stopTask } from '../../../app/tasks/stop-task.ts';
import { succeed } from '../../../shared/contract/outcome.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { AUTO_UPDATE_SETTINGS, DEPLOY_SETTINGS } from '../../helpers/deploy-settings.ts';
import { listedUnits } from '../../helpers/listed-units.ts';
import { keepLog } from '../../helpers/log-lines.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const ASKER = { by: 'admin at ::1', requestId: 'req_1', path: '/api/tasks', reason: 'tidy' };

function open(context: TestContext) {
  const folder = makeTempFolder(context);
  const { store, path } = openTestStore(context, folder);
  const databaseBackupsDir = join(folder, 'backups');
  const run = (id: string, database = path, { signal } = new AbortController()) => {
    store.tasks.markDispatched(id, 'child', Date.now());
    const settings = {
      ...{ pullTimeoutMs: 1, restartTimeoutMs: 1, journalLines: 1, ...DEPLOY_SETTINGS },
      ...{ taskRetentionMs: 1_000, deliveryRetentionMs: 1_000, eventRetentionMs: 1_000 },
      ...{ eventMaxRows: 1_000_000, backupKeep: 2 },
      ...AUTO_UPDATE_SETTINGS,
    };
    return runTask(
      {
        ...{ store, settings, log: keepLog().log, host: openLocalHost('user', {}) },
        paths: { ...statePaths(folder), database, databaseBackupsDir },
        lookUp: () => Promise.resolve(succeed({ digest: 'sha256:1' })),
        lockUnits: () =>
          Promise.resolve({ isHeld: true, hasWaited: false, release: () => undefined }),
        updates: () => assert.fail('it has no use for updates'),
        ...{ signal, onWake: () => undefined, mask: (text) => text },
      },
      { id, attempts: store.tasks.find(id)?.attempts ?? 0 },
    );
  };
  return { store, path, run, databaseBackupsDir };
}

const outcomeOf = (store: Store, id: string) => {
  const { kind, unit, status, summary, error_code } = store.tasks.find(id) ?? {};
  return { kind, unit, status, summary, error_code };
};

describe('a task of maintenance', () => {
  test('backs the database up', async (t) => {
    const { store, run, databaseBackupsDir } = open(t);
    const id = makeMaintenanceTask(store, 'backup', 'schedule');
    assert.equal(await run(id), true);
    const [backup] = listBackups(databaseBackupsDir);
    const { summary, ...rest } = outcomeOf(store, id);
    assert.deepEqual(rest, {
      ...{ kind: 'maintenance', unit: 'pod-upgrade-trigger', status: 'succeeded' },
      error_code: null,
    });
    assert.match(
      summary ?? '',
      new RegExp(`^The database was backed up: ${backup?.name}, 0\\.\\d MB`),
    );
    const logs = store.taskLogs.listByTask(id);
    assert.deepEqual(logs.map(({ action, summary: said }) => [action, said]).slice(0, 1), [
      ['task-created', 'It was time.'],
    ]);
    assert.equal(JSON.parse(logs[1]?.meta ?? '').sha256, backup?.sha256);
  });

  test('that has come to its end while its process is to end is not done again', async (t) => {
    const { store, path, run, databaseBackupsDir } = open(t);
    const ending = new AbortController();
    ending.abort();
    const id = makeMaintenanceTask(store, 'backup', 'schedule');
    await run(id, path, ending);
    assert.equal(outcomeOf(store, id).status, 'succeeded');
    assert.equal(listBackups(databaseBackupsDir).length, 1);
  });

  test('that was cut off because its process is to end begins again', async (t) => {
    const { store, path, run } = open(t);
    const ending = new AbortController();
    ending.abort();
    const id = makeMaintenanceTask(store, 'prune', 'schedule');
    await run(id, path, ending);
    assert.equal(outcomeOf(store, id).status, 'pending');
  });

  test('that cannot back up says why, and fails', async (t) => {
    const { store, run } = open(t);
    const id = makeMaintenanceTask(store, 'backup', 'schedule');
    await run(id, '/nonexistent/none.db');
    const { status, error_code } = outcomeOf(store, id);
    assert.deepEqual([status, error_code], ['failed', 'BACKUP_FAILED']);
  });

  test('that meets a failure of the database says which', async (t) => {
    const { store, run } = open(t);
    const id = makeMaintenanceTask(store, 'prune', 'schedule');
    t.mock.method(store, 'shrink', () => {
      throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' });
    });
    await run(id);
    const task = store.tasks.find(id);
    assert.deepEqual(
      [task?.status, task?.error_code, task?.error_detail],
      ['failed', 'MAINTENANCE_FAILED', 'SQLITE_IOERR disk I/O error.'],
    );
  });

  test('removes what is older than it is kept for, and says how much', async (t) => {
    const { store, run } = open(t);
    for (let at = 10; at < 25; at++) {
      store.tasks.insert(newTask({ id: `tsk_${at}`, created_at: at }));
      store.tasks.finish({ id: `tsk_${at}`, attempts: 0 }, { status: 'failed', summary: '', at });
    }
    const id = makeMaintenanceTask(store, 'prune', ASKER);
    await run(id);
    const { status, summary } = outcomeOf(store, id);
    assert.deepEqual([status, /^Removed: 5 tasks; \d/.test(summary ?? '')], ['succeeded', true]);
    const task = store.tasks.find(id);
    assert.deepEqual(
      [task?.trigger_source, task?.trigger_caller, task?.trigger_reason],
      ['manual', 'admin at ::1', 'tidy'],
    );
    assert.equal(store.tasks.find('tsk_10'), undefined);
  });

  test('that is to stop ends between two batches, as cancelled', async (t) => {
    const { store, run } = open(t);
    const id = makeMaintenanceTask(store, 'prune', 'schedule');
    store.tasks.markDispatched(id, 'child', 1);
    assert.ok(stopTask(store, id, 'a person', 2).ok);
    store.tasks.release({ id, attempts: 1 }, 3);
    await run(id);
    const { status, summary } = outcomeOf(store, id);
    assert.deepEqual([status, summary], ['cancelled', 'It was stopped. Removed so far: nothing.']);
  });

  test('is one at a time, and is done anew by who asks for that', (t) => {
    const { store } = open(t);
    const first = makeMaintenanceTask(store, 'prune', 'schedule');
    assert.equal(makeMaintenanceTask(store, 'prune', ASKER), first);
    const other = makeMaintenanceTask(store, 'backup', ASKER);
    assert.notEqual(other, first);
    const manual = createManualTasks({
      ...{ store, known: listedUnits([]), imageOf: () => null, onTask: () => undefined },
      autoUpdateUnit: 'podman-auto-update.service',
    });
    const early = manual.retry(first, ASKER);
    assert.deepEqual([early.ok, !early.ok && early.failure.code], [false, 'TASK_NOT_ENDED']);
    store.tasks.finish({ id: first, attempts: 0 }, { status: 'failed', summary: '', at: 9 });
    const again = manual.retry(first, ASKER);
    assert.ok(again.ok);
    const task = store.tasks.find(again.value);
    assert.deepEqual(
      [task?.kind, task?.retry_of, JSON.parse(task?.input ?? '').maintenance],
      ['maintenance', first, 'prune'],
    );
  });
});
