import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { TaskInput } from '../../../../app/domain/task-input.ts';
import { registerPruneApi } from '../../../../app/http/routes/prune-api.ts';
import { pruneState } from '../../../../app/maintenance/prune-state.ts';
import { createCommitSource } from '../../../../app/tasks/live/commit-source.ts';
import { makeMaintenanceTask } from '../../../../app/tasks/make-maintenance-task.ts';
import { createPruneService } from '../../../../app/tasks/prune-service.ts';
import { PRUNE_NOTE, retentionOf } from '../../../../app/tasks/run-maintenance.ts';
import { loadSettings } from '../../../../shared/config/load-settings.ts';
import { statePaths } from '../../../../shared/contract/state-paths.ts';
import { until } from '../../../helpers/until.ts';
import { adminGate, ask, askAdmin, startApp } from '../http-fixture.ts';
import { post } from './self-update-fixture.ts';

const DAY_MS = 86_400_000;

/** Not only when the waiting is over. */
const AT_ONCE = { timeout: 30_000 };

/** How the process of the task would end, where it does. */
type Process = 'removes' | 'fails' | 'is stopped' | 'hangs';

async function start(context: TestContext, process: Process = 'removes', waitMs = 300) {
  const loaded = loadSettings({ PODUP_STATE_DIR: '/proc/none' });
  assert.ok(loaded.ok);
  const { settings } = loaded.loaded;
  const inputs: TaskInput[] = [];
  const leaving = new AbortController();
  const app = await startApp(context, {
    prepare: (prepared, { store, folder, log }) => {
      const paths = statePaths(folder);
      const run = async (id: string) => {
        const { input, attempts } = store.tasks.find(id) ?? { input: null, attempts: 0 };
        const { maxAgeMs } = JSON.parse(input ?? '{}') as TaskInput;
        inputs.push(JSON.parse(input ?? '{}'));
        const end = { summary: 'x', at: Date.now() };
        if (process === 'removes') {
          const { signal } = new AbortController();
          const pause = () => Promise.resolve();
          const retention = retentionOf(settings, maxAgeMs);
          const done = await pruneState({ store, paths }, retention, Date.now(), { signal, pause });
          const meta = JSON.stringify({ ...done.removed, freedBytes: done.freedBytes });
          const entry = { task_id: id, ts: 1, level: 'info', action: PRUNE_NOTE } as const;
          store.taskLogs.append({ ...entry, summary: 'x', meta });
          store.tasks.finish({ id, attempts }, { ...end, status: 'succeeded' });
        }
        const failure = { errorCode: 'MAINTENANCE_FAILED', errorDetail: 'The disk.' } as const;
        if (process === 'fails') {
          store.tasks.finish({ id, attempts }, { ...end, ...failure, status: 'failed' });
        }
        if (process === 'is stopped') {
          store.tasks.finish({ id, attempts }, { ...end, status: 'cancelled' });
        }
      };
      const prune = createPruneService({
        ...{ store, settings, paths, waitMs: process === 'hangs' ? waitMs : 60_000 },
        leaving: leaving.signal,
        commits: createCommitSource(join(folder, 'data/test.db'), log),
        maintain: (action, cause) => {
          const id = makeMaintenanceTask(store, action, cause);
          setImmediate(() => void run(id));
          return id;
        },
      });
      registerPruneApi(prepared, { gate: adminGate(), prune });
    },
  });
  const put = (name: string, ageMs: number) => {
    const path = join(app.folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '');
    utimesSync(path, (Date.now() - ageMs) / 1_000, (Date.now() - ageMs) / 1_000);
  };
  return { ...app, put, inputs, leaving };
}

describe('POST /api/prune-state', () => {
  test(
    'as a dry run counts all and touches nothing, then removes just that',
    AT_ONCE,
    async (t) => {
      const { port, put, folder, store, inputs } = await start(t);
      put('ratelimit.db', 3 * DAY_MS);
      put('github-image-locks/a.lock', 3 * DAY_MS);
      const dry = await post(port, '/api/prune-state', { dry_run: true, max_age_hours: 48 });
      assert.equal(dry.status, 200, dry.text);
      const { removed, ...rest } = dry.json;
      assert.deepEqual(rest, {
        ...{ dry_run: true, max_age_hours: 48, task_retention_secs: 400 * 86_400 },
        ...{ tokens_removed: 1, locks_removed: 1, legacy_dirs_removed: 1, tasks_removed: 0 },
        ...{ freed_bytes: 0, task_id: null },
      });
      assert.ok(readdirSync(folder).includes('ratelimit.db'));
      assert.equal(store.tasks.findMaintenance('prune'), undefined, 'no task');

      const real = await post(port, '/api/prune-state', { max_age_hours: 48, reason: 'tidy' });
      assert.equal(real.status, 200, real.text);
      assert.deepEqual([real.json['dry_run'], real.json['removed']], [false, removed]);
      assert.ok(!readdirSync(folder).includes('ratelimit.db'));
      const task = store.tasks.find(String(real.json['task_id']));
      assert.deepEqual([task?.trigger_reason, inputs[0]?.maxAgeMs], ['tidy', 2 * DAY_MS]);
    },
  );

  test('by default takes a day, as the earlier program did', async (t) => {
    const { port, put } = await start(t);
    put('ratelimit.db', DAY_MS + 60_000);
    put('github-image-limits/a.db', DAY_MS - 60_000);
    const { json } = await post(port, '/api/prune-state');
    assert.deepEqual([json['max_age_hours'], json['tokens_removed']], [24, 1]);
  });

  test('says why where it fails, and which task goes on where it takes long', async (t) => {
    const failing = await start(t, 'fails');
    const failed = await post(failing.port, '/api/prune-state');
    assert.deepEqual([failed.status, failed.json['code']], [500, 'MAINTENANCE_FAILED']);
    for (const process of ['hangs', 'is stopped'] as const) {
      const { port } = await start(t, process);
      const answer = await post(port, '/api/prune-state');
      assert.equal(answer.status, 202);
      assert.match(String(answer.json['task_id']), /^tsk_/);
    }
  });

  test('lets nobody wait for the task when the service stops', AT_ONCE, async (t) => {
    const { port, leaving, store } = await start(t, 'hangs', 3_600_000);
    const asked = post(port, '/api/prune-state');
    await until('a task', 10_000, () => store.tasks.findMaintenance('prune'));
    leaving.abort();
    assert.equal((await asked).status, 202);
    assert.equal((await post(port, '/api/prune-state')).status, 202, 'nor who comes later');
  });

  test('with another age is another task, with the same one the one that waits', async (t) => {
    const { port, store } = await start(t, 'hangs');
    const ids = [];
    for (const max_age_hours of [48, 48, 72]) {
      ids.push((await post(port, '/api/prune-state', { max_age_hours })).json['task_id']);
    }
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[1], ids[2]);
    assert.equal(store.tasks.findMaintenance('prune')?.id, ids[2]);
  });

  for (const [field, body] of [
    ['max_age_hours', { max_age_hours: 0 }],
    ['max_age_hours', { max_age_hours: '24' }],
    ['dry_run', { dry_run: 'yes' }],
    ['tokens', { tokens: true }],
  ] as const) {
    test(`refuses ${JSON.stringify(body)}`, async (t) => {
      const { port } = await start(t);
      const refused = await post(port, '/api/prune-state', body);
      assert.deepEqual([refused.status, refused.json['code']], [400, 'REQUEST_INVALID']);
      assert.match(String(refused.json['detail']), new RegExp(field));
    });
  }

  test('is for admins, and takes no other method', async (t) => {
    const { port } = await start(t);
    assert.equal((await ask(port, { method: 'POST', path: '/api/prune-state' })).status, 401);
    const read = await askAdmin(port, '/api/prune-state');
    assert.deepEqual([read.status, read.headers.allow], [405, 'POST']);
  });
});
