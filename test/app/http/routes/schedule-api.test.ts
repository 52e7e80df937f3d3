import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ScheduleView } from '../../../../app/api/schedule-views.ts';
import { registerScheduleApi } from '../../../../app/http/routes/schedule-api.ts';
import { createRunJob } from '../../../../app/scheduler/run-job.ts';
import { viewSchedule } from '../../../../app/scheduler/view-schedule.ts';
import { makeMaintenanceTask } from '../../../../app/tasks/make-maintenance-task.ts';
import { loadSettings } from '../../../../shared/config/load-settings.ts';
import { fail, succeed } from '../../../../shared/contract/outcome.ts';
import type { UpdateRequest } from '../../../../shared/contract/update-request.ts';
import { adminGate, ask, askAdmin, startApp } from '../http-fixture.ts';
import { post } from './self-update-fixture.ts';

const NOW = Date.parse('2026-03-04T12:00:00Z');

async function start(context: TestContext, environment: Readonly<Record<string, string>> = {}) {
  const loaded = loadSettings({
    ...{ PODUP_STATE_DIR: '/proc/none', PODUP_SCHEDULE_TIME_ZONE: 'Europe/Berlin' },
    ...environment,
  });
  assert.ok(loaded.ok);
  const { settings } = loaded.loaded;
  const asked: UpdateRequest[] = [];
  const app = await startApp(context, {
    prepare: (prepared, { store }) =>
      registerScheduleApi(prepared, {
        gate: adminGate(),
        view: () => viewSchedule({ ...store, madeAt: NOW - 1 }, settings, NOW),
        run: createRunJob({
          store,
          idle: (job) => (job === 'reconcile' ? 'No unit is known.' : undefined),
          maintain: (action, cause) => makeMaintenanceTask(store, action, cause),
          dryRun: true,
          ask: (request) => {
            asked.push(request);
            const answer = { id: 'x', txn: 'upd_1', failure: null, status: null };
            return Promise.resolve(asked.length > 1 ? fail('UPDATE_ON_HOLD', '') : succeed(answer));
          },
        }),
      }),
  });
  const read = async () => (await askAdmin(app.port, '/api/schedule')).json as ScheduleView;
  const readJob = async (name: string) => (await read()).jobs.find((job) => job.name === name);
  return { ...app, asked, read, readJob };
}

describe('GET /api/schedule', () => {
  test('says what comes when, in the time zone that is set', async (t) => {
    const { read, readJob } = await start(t);
    const { now, time_zone } = await read();
    assert.deepEqual([now, time_zone], ['2026-03-04T12:00:00.000Z', 'Europe/Berlin']);
    assert.deepEqual(await readJob('prune'), {
      ...{ name: 'prune', about: 'removes what is older than it is kept for' },
      ...{ cron: '17 3 * * *', variable: 'PODUP_PRUNE_CRON', delay_ms: 0 },
      ...{ next_run_at: '2026-03-05T02:17:00.000Z', last_due_at: null, last_run: null },
    });
    const selfUpdate = await readJob('self-update');
    assert.deepEqual([selfUpdate?.cron, selfUpdate?.next_run_at], ['off', null]);
  });

  test('says when what asks others really begins on this host, and that it is due', async (t) => {
    const { readJob, store } = await start(t, { PODUP_SELF_UPDATE_CRON: '0 * * * *' });
    const job = await readJob('self-update');
    const delayMs = job?.delay_ms ?? 0;
    assert.ok(delayMs > 0 && delayMs < 60_000);
    assert.equal(Date.parse(job?.next_run_at ?? ''), NOW + delayMs);
    const claim = { job: 'self-update', claimed_by: 'x', task_id: null, result: null };
    store.schedule.claim({ ...claim, due_at: NOW - 7_200_000, claimed_at: NOW, ended_at: NOW });
    assert.equal((await readJob('self-update'))?.next_run_at, '2026-03-04T12:00:00.000Z');
  });

  test('tells of the last run: its task, or what it came to without one', async (t) => {
    const { readJob, store } = await start(t);
    const claim = { due_at: NOW - 1_000, claimed_at: NOW, claimed_by: 'x', result: null };
    const taskId = makeMaintenanceTask(store, 'prune', 'schedule');
    store.schedule.claim({ ...claim, job: 'prune', task_id: taskId, ended_at: NOW });
    const { status, by, task_id, ended_at } = (await readJob('prune'))?.last_run ?? {};
    assert.deepEqual([status, by, task_id, ended_at], ['pending', 'schedule', taskId, null]);
    assert.equal((await readJob('prune'))?.last_due_at, '2026-03-04T11:59:59.000Z');

    const tick = { job: 'self-update', due_at: NOW - 1_000, claimed_by: 'x' };
    store.schedule.claim({ ...claim, ...tick, task_id: null, ended_at: null });
    assert.equal((await readJob('self-update'))?.last_run?.status, 'running');
    store.schedule.end(tick, { at: NOW, result: 'No.', error_code: 'UPDATE_ON_HOLD' });
    const last = (await readJob('self-update'))?.last_run;
    assert.deepEqual(
      [last?.status, last?.summary, last?.error_code],
      ['failed', 'No.', 'UPDATE_ON_HOLD'],
    );
  });

  test('is for admins, and takes no other method', async (t) => {
    const { port } = await start(t);
    assert.equal((await ask(port, { path: '/api/schedule' })).status, 401);
    const refused = await post(port, '/api/schedule');
    assert.deepEqual([refused.status, refused.headers.allow], [405, 'GET']);
    const read = await askAdmin(port, '/api/schedule/prune/run');
    assert.deepEqual([read.status, read.headers.allow], [405, 'POST']);
  });
});

describe('POST /api/schedule/JOB/run', () => {
  test('makes the task of a job, or gives the one that has not ended', async (t) => {
    const { port, store, readJob } = await start(t);
    const first = await post(port, '/api/schedule/prune/run', { reason: 'tidy' });
    assert.equal(first.status, 202);
    const task = store.tasks.find(String(first.json['task_id']));
    assert.deepEqual([task?.trigger_reason, task?.trigger_source], ['tidy', 'manual']);
    const again = await post(port, '/api/schedule/prune/run');
    const begun = { txn: null, due_at: null, is_new: true, said: null };
    assert.deepEqual(again.json, { job: 'prune', task_id: task?.id, ...begun });
    const job = await readJob('prune');
    assert.equal(job?.last_run?.by, 'token:PODUP_TOKEN at 127.0.0.1');
    assert.equal(job?.last_due_at, null, 'the due times stay as they are');
  });

  test('asks for an update of the program, and says why there is none', async (t) => {
    const { port, asked } = await start(t);
    const done = await post(port, '/api/schedule/self-update/run');
    const begun = { txn: 'upd_1', due_at: null, is_new: true, said: null };
    assert.deepEqual(done.json, { job: 'self-update', task_id: null, ...begun });
    assert.deepEqual([asked[0]?.trigger, asked[0]?.dryRun], ['api', true]);
    const refused = await post(port, '/api/schedule/self-update/run');
    assert.deepEqual([refused.status, refused.json['code']], [409, 'UPDATE_ON_HOLD']);
  });

  test('by another clock begins it once for each of its times, whoever else serves it', async (t) => {
    const { port, store, readJob } = await start(t);
    const ask = () => post(port, '/api/schedule/prune/run', { every_s: 3_600 });
    const first = await ask();
    assert.deepEqual([first.json['is_new'], first.json['said']], [true, null]);
    const task = store.tasks.find(String(first.json['task_id']));
    assert.equal(task?.trigger_source, 'scheduler');
    const second = await ask();
    assert.deepEqual([second.json['task_id'], second.json['is_new']], [task?.id, false]);
    const due = (await readJob('prune'))?.last_due_at;
    assert.ok(due);
    assert.deepEqual([first.json['due_at'], second.json['due_at']], [due, due]);
    const idle = await post(port, '/api/schedule/reconcile/run', { every_s: 3_600 });
    const { task_id, is_new, said } = idle.json;
    assert.deepEqual([task_id, is_new, said], [null, false, 'No unit is known.']);
  });

  test('refuses what is no job, and what is no reason', async (t) => {
    const { port } = await start(t);
    const unknown = await post(port, '/api/schedule/tea/run');
    assert.deepEqual([unknown.status, unknown.json['code']], [404, 'SCHEDULE_JOB_NOT_FOUND']);
    assert.match(String(unknown.json['detail']), /prune, backup/);
    const wrong = await post(port, '/api/schedule/prune/run', { reasons: 'x' });
    assert.equal(wrong.status, 400);
    assert.match(String(wrong.json['detail']), /reasons/);
  });
});
