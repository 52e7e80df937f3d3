import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { MIGRATIONS } from '../../app/db/generated-migrations.ts';
import { openStore } from '../../app/db/store.ts';
import { HEALTH_COMPONENTS } from '../../app/domain/health.ts';
import { listSegments } from '../../app/intake/segments.ts';
import type { SupervisorChannel, SupervisorCommand } from '../../app/updates/supervisor-channel.ts';
import { startWorker } from '../../app/worker.ts';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { NO_CLOCK } from '../../shared/config/no-clock.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { makeDirectoryDurably } from '../../shared/fs/durable-file.ts';
import { deadSegmentName, spoolEntry, writeSegment } from '../helpers/spool.ts';
import { newTask } from '../helpers/store.ts';
import { until } from '../helpers/until.ts';
import { container, published } from './domain/package-body.ts';
import {
  ask,
  askAdmin,
  defer,
  deliver,
  deliveryHeaders,
  keepLog,
  makeFolder,
  PREVIOUS_SECRET,
  SECRET,
  sign,
  TOKEN,
} from './http/http-fixture.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/pod-upgrade-trigger.ts');
const PUSH = JSON.stringify(published(container()));

/** No user manager, whatever the machine has: neither for this process nor for its tasks. */
const NO_MANAGER = {
  XDG_RUNTIME_DIR: '/proc/none',
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
};

/** A worker as `http-server` makes it, on a folder that may have served before. */
async function startTestWorker(
  context: TestContext,
  folder: string,
  channel?: SupervisorChannel,
  missed = 'off',
) {
  Object.assign(process.env, NO_MANAGER);
  const environment = {
    PATH: process.env['PATH'],
    ...NO_MANAGER,
    PODUP_STATE_DIR: folder,
    PODUP_TOKEN: TOKEN,
    PODUP_GH_WEBHOOK_SECRET: SECRET,
    PODUP_GH_WEBHOOK_SECRET_PREVIOUS: PREVIOUS_SECRET,
    PODUP_MANUAL_UNITS: 'web, api',
    PODUP_STOP_TIMEOUT_MS: '2000',
    ...NO_CLOCK,
    PODUP_MISSED_DELIVERIES_CRON: missed,
  };
  const result = loadSettings(environment);
  assert.ok(result.ok);
  const { loaded } = result;
  makeDirectoryDurably(loaded.paths.intakeDir);
  const { lines, log } = keepLog();
  const program = [process.execPath, SCRIPT] as const;
  const started = await startWorker({
    loaded,
    log,
    program,
    environment,
    ...(channel && { channel }),
    onDeath: (error) => {
      throw error;
    },
  });
  assert.ok(started.ok, JSON.stringify(started));
  const worker = started.value;
  await worker.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = worker.app.server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= worker.stop();
    return stopped;
  };
  defer(context, stop);
  return { port, lines, stop };
}

/** A supervisor in this process. */
function playSupervisor() {
  let tell: (command: SupervisorCommand) => void = () => undefined;
  const nothing = () => () => undefined;
  const channel: SupervisorChannel = {
    send: () => undefined,
    onCommand: (listener) => {
      tell = listener;
      return () => undefined;
    },
    onUpdateAnswer: nothing,
    onUpdateStatus: nothing,
    latestStatus: () => undefined,
  };
  return { channel, tell: (command: SupervisorCommand) => tell(command) };
}

async function listTasks(port: number) {
  const { json } = await askAdmin(port, '/api/tasks');
  return json['tasks'] as {
    task_id: string;
    status: string;
    error: { code: string };
    unit: string;
  }[];
}

describe('worker', () => {
  test('a push becomes a task, the task runs as a process of its own, and its end is read over the API', async (t) => {
    const { port } = await startTestWorker(t, makeFolder(t));
    // systemd cannot be asked, so whether the push is for the unit is left to the task.
    const answer = await deliver(port, 'web', PUSH);
    assert.deepEqual([answer.json['verdict'], answer.json['matched']], ['accepted', 'repository']);
    const [task] = await until('the end of the task', 20_000, async () => {
      const tasks = await listTasks(port);
      return tasks[0]?.status === 'failed' && tasks;
    });
    assert.deepEqual([task?.unit, task?.error.code], ['web.service', 'USER_MANAGER_UNAVAILABLE']);
    const { json } = await askAdmin(port, `/api/tasks/${task?.task_id}`);
    const logs = json['logs'] as { action: string }[];
    assert.deepEqual(
      [logs[0]?.action, logs[1]?.action, logs.at(-1)?.action],
      ['task-created', 'task-dispatched', 'task-ended'],
    );
  });

  test('the event of a push names the task that followed from it', async (t) => {
    const { port } = await startTestWorker(t, makeFolder(t));
    await deliver(port, 'web', PUSH);
    await deliver(port, 'web', PUSH);
    const { json } = await askAdmin(port, '/api/events?action=github-webhook');
    const events = json['events'] as { task_id: string }[];
    const tasks = await listTasks(port);
    assert.equal(events.length, 2);
    for (const event of events) {
      assert.ok(tasks.some(({ task_id: id }) => id === event.task_id));
    }
  });

  test('that it has started and that it has stopped are events', async (t) => {
    const folder = makeFolder(t);
    const first = await startTestWorker(t, folder);
    await first.stop();
    const second = await startTestWorker(t, folder);
    const { json } = await askAdmin(second.port, '/api/events?method=SYSTEM');
    const events = json['events'] as { action: string; path: string; meta: object }[];
    const started = { ...PROGRAM, schema: MIGRATIONS.at(-1)?.version, trial: false };
    assert.deepEqual(
      events.map(({ action, path, meta }) => [action, path, meta]),
      [
        ['service-started', 'worker', started],
        ['service-stopped', 'worker', { ...PROGRAM }],
        ['service-started', 'worker', started],
      ],
    );
  });

  test('a health check that is repeated leaves one event', async (t) => {
    const { port } = await startTestWorker(t, makeFolder(t));
    for (let time = 0; time < 3; time++) await ask(port, { path: '/health' });
    const { json } = await askAdmin(port, '/api/events?action=health');
    const events = json['events'] as { status: number; code: string }[];
    assert.deepEqual(
      events.map(({ status }) => status),
      [503],
    );
  });

  test('that a task begins again, whose process was gone, is an event', async (t) => {
    const folder = makeFolder(t);
    const opened = openStore(join(folder, 'data/pod-upgrade-trigger.db'), {
      version: '0',
      nowMs: 1,
    });
    assert.ok(opened.ok);
    opened.value.tasks.insert(newTask());
    opened.value.tasks.markDispatched('tsk_1', 'child', 1);
    opened.value.close();
    const { port } = await startTestWorker(t, folder);
    const { json } = await askAdmin(port, '/api/events?action=task-resumed');
    const events = json['events'] as { task_id: string; method: string }[];
    assert.deepEqual(
      events.map(({ task_id, method }) => [task_id, method]),
      [['tsk_1', 'SYSTEM']],
    );
  });

  test('both live secrets are believed', async (t) => {
    const { port } = await startTestWorker(t, makeFolder(t));
    const headers = {
      'x-github-event': 'ping',
      'x-hub-signature-256': sign('{}', PREVIOUS_SECRET),
    };
    assert.equal((await deliver(port, 'web', '{}', headers)).status, 200);
  });

  test('a stop right after the answer loses neither delivery nor event, and a later worker does the work', async (t) => {
    const folder = makeFolder(t);
    const first = await startTestWorker(t, folder);
    const { json } = await deliver(first.port, 'web', PUSH);
    await first.stop();
    const second = await startTestWorker(t, folder);
    const events = await askAdmin(second.port, '/api/events?action=github-webhook');
    const [event] = events.json['events'] as { request_id: string }[];
    assert.equal(event?.request_id, json['request_id']);
    await until(
      'the end of the task',
      60_000,
      async () => (await listTasks(second.port))[0]?.status === 'failed',
    );
    assert.equal((await listTasks(second.port)).length, 1);
  });

  test('a hook lets deliveries in although the database cannot be opened', async (t) => {
    const folder = makeFolder(t);
    const first = await startTestWorker(t, folder);
    const made = await ask(first.port, {
      ...{ method: 'POST', path: '/api/hooks' },
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'forge', source: 'github' }),
    });
    const { text } = made.json['secret'] as { text: string };
    await first.stop();
    const database = join(folder, 'data', 'pod-upgrade-trigger.db');
    for (const side of ['', '-wal', '-shm']) rmSync(`${database}${side}`, { force: true });
    mkdirSync(database);
    const { port } = await startTestWorker(t, folder);
    const headers = deliveryHeaders(PUSH, { 'x-hub-signature-256': sign(PUSH, text) });
    const sent = { method: 'POST', path: '/hooks/forge', headers, body: PUSH };
    assert.deepEqual((await ask(port, sent)).status, 202);
  });

  test('missed deliveries are looked for after a start, and again after an update', async (t) => {
    const folder = makeFolder(t);
    const first = await startTestWorker(t, folder);
    await deliver(first.port, 'web', PUSH);
    await first.stop();
    const { channel, tell } = playSupervisor();
    const { port } = await startTestWorker(t, folder, channel, '0 0 1 1 *');
    const ended = (count: number) =>
      until(`${count} looks`, 30_000, async () => {
        const tasks = await listTasks(port);
        const looks = tasks.filter(({ unit }) => unit === 'pod-upgrade-trigger');
        return (
          looks.filter(({ status }) => status !== 'pending' && status !== 'running').length ===
          count
        );
      });
    await ended(1);
    tell('proceed');
    await ended(2);
  });

  for (const [title, end] of [
    ['when it is to proceed', 'proceed'],
    ['when the next one starts', 'restart'],
  ] as const)
    test(`what was accepted stays in the spool while an update is open, and goes ${title}`, async (t) => {
      const folder = makeFolder(t);
      const intakeDir = join(folder, 'intake');
      const record = join(folder, 'data/UPDATE_LOCK.json');
      for (const path of [intakeDir, join(folder, 'data')]) makeDirectoryDurably(path);
      writeFileSync(record, '{}');
      writeSegment(intakeDir, deadSegmentName(), [spoolEntry()]);
      const { channel, tell } = playSupervisor();
      const first = await startTestWorker(t, folder, channel);
      assert.equal((await listTasks(first.port)).length, 1);
      assert.deepEqual(listSegments(intakeDir), [deadSegmentName()]);
      rmSync(record);
      if (end === 'proceed') tell('proceed');
      else {
        writeFileSync(record, '{}');
        await first.stop();
        assert.ok(listSegments(intakeDir).includes(deadSegmentName()));
        rmSync(record);
        await startTestWorker(t, folder);
      }
      await until(
        'the end of the segment',
        20_000,
        () => !listSegments(intakeDir).includes(deadSegmentName()),
      );
    });

  test('the health of this host is told with each missing part', async (t) => {
    const { port } = await startTestWorker(t, makeFolder(t));
    const { status, json } = await ask(port, { path: '/health' });
    assert.equal(status, 503);
    const checks = json['checks'] as { component: string; ok: boolean; code?: string }[];
    assert.deepEqual(
      checks.map(({ component }) => component),
      HEALTH_COMPONENTS,
    );
    assert.deepEqual(
      [checks[0]?.ok, checks[1]?.ok, checks[3]?.code],
      [true, true, 'USER_MANAGER_UNAVAILABLE'],
    );
  });
});
