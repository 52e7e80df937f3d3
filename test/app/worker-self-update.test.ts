import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { SupervisorChannel } from '../../app/updates/supervisor-channel.ts';
import { startWorker } from '../../app/worker.ts';
import { loadSettings } from '../../shared/config/load-settings.ts';
import { makeDirectoryDurably } from '../../shared/fs/durable-file.ts';
import { until } from '../helpers/until.ts';
import { askAdmin, defer, keepLog, makeFolder, TOKEN } from './http/http-fixture.ts';
import { post } from './http/routes/self-update-fixture.ts';
import { openFakeChannel } from './updates/fake-channel.ts';
import { updateStatus } from './updates/update-fixture.ts';

const LONG_MS = 20_000;
const NAME = 'self-update-1700000000-1.json';

/** A worker under a supervisor that the test plays, with a report that lies there before it starts. */
async function startUpdatingWorker(
  context: TestContext,
  over: Readonly<Record<string, string>> = {},
  isTrial = false,
) {
  const folder = makeFolder(context);
  const fake = openFakeChannel(() => ({ txn: 'upd_7' }));
  let tell: Parameters<SupervisorChannel['onCommand']>[0] = () => undefined;
  const channel: SupervisorChannel = {
    ...fake.channel,
    onCommand: (listener) => {
      tell = listener;
      return () => undefined;
    },
  };
  const environment = {
    PATH: process.env['PATH'],
    PODUP_STATE_DIR: folder,
    PODUP_TOKEN: TOKEN,
    PODUP_STOP_TIMEOUT_MS: '20000',
    ...over,
  };
  const result = loadSettings(environment);
  assert.ok(result.ok, JSON.stringify(result));
  const { loaded } = result;
  makeDirectoryDurably(loaded.paths.intakeDir);
  const reports = join(folder, 'self-update-reports');
  mkdirSync(reports);
  writeFileSync(join(reports, NAME), '{"type":"self-update-run","status":"ok"}');
  const started = await startWorker({
    loaded,
    log: keepLog().log,
    program: [process.execPath, '/nonexistent'],
    environment,
    channel,
    isTrial,
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
  const isImported = () => existsSync(join(reports, `${NAME}.imported`));
  return { port, stop, fake, isImported, tell: (command: 'pause' | 'proceed') => tell(command) };
}

describe('a worker under a supervisor', () => {
  test('has updates made over its channel, and shows how they stand', async (t) => {
    const { port, fake } = await startUpdatingWorker(t, { PODUP_SELF_UPDATE_CRON: '0 4 * * *' });
    const { status, json } = await post(port, '/api/self-update/run', { tag: 'v2.0.0' });
    assert.deepEqual([status, json], [202, { txn: 'upd_7' }]);
    assert.deepEqual(
      fake.requests.map(({ command, trigger, tag }) => [command, trigger, tag]),
      [['run', 'api', 'v2.0.0']],
    );
    fake.say(updateStatus());
    const { json: view } = await askAdmin(port, '/api/self-update');
    assert.equal(view['source'], 'supervisor');
    const { cron, next_run_at } = view['schedule'] as { cron: string; next_run_at: string };
    assert.equal(cron, '0 4 * * *');
    assert.ok(Date.parse(next_run_at) > Date.now());
  });

  test('makes a task of a report', async (t) => {
    const { port, isImported } = await startUpdatingWorker(t);
    await until('the import', LONG_MS, isImported);
    const { json } = await askAdmin(port, '/api/tasks');
    const [task] = json['tasks'] as { kind: string; status: string }[];
    assert.deepEqual([task?.kind, task?.status], ['self-update', 'succeeded']);
  });

  test('on trial imports nothing before it is to proceed, for its database may be taken back', async (t) => {
    const { port, isImported, stop } = await startUpdatingWorker(t, {}, true);
    const { json } = await askAdmin(port, '/api/tasks');
    assert.deepEqual(json['tasks'], []);
    // An import that was begun would be waited for.
    await stop();
    assert.equal(isImported(), false);
  });

  test('on trial imports when it is to proceed', async (t) => {
    const { isImported, tell } = await startUpdatingWorker(t, {}, true);
    tell('proceed');
    await until('the import', LONG_MS, isImported);
    // As often as it is told, it goes on once.
    tell('pause');
    tell('proceed');
  });

  test('stops without waiting for who only listens', async (t) => {
    const { port, stop } = await startUpdatingWorker(t);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const sent = request({ port, host: '127.0.0.1', path: '/sse/self-update', headers });
    sent.end();
    const [response] = await once(sent, 'response');
    response.resume();
    const ended = once(response, 'end');
    const from = performance.now();
    await stop();
    assert.ok(performance.now() - from < 5_000);
    await ended;
  });
});

test('a schedule that is none is a fault of the configuration, beside every other', () => {
  const result = loadSettings({
    PODUP_STATE_DIR: '/tmp',
    PODUP_SELF_UPDATE_CRON: 'now and then',
    PODUP_SELF_UPDATE_DRY_RUN: 'perhaps',
  });
  assert.deepEqual(!result.ok && result.faults, [
    'PODUP_SELF_UPDATE_CRON: "now and then" is not allowed; allowed: a cron expression of five or six fields.',
    'PODUP_SELF_UPDATE_DRY_RUN: "perhaps" is not allowed; allowed: 1, true, yes, on or 0, false, no, off.',
  ]);
});

test('that a report became a task, and that its schedule asked for an update, are events', async (t) => {
  // The first run comes without the delay that keeps hosts apart.
  t.mock.method(Math, 'random', () => 0);
  const cron = { PODUP_SELF_UPDATE_CRON: '* * * * * *' };
  const { port, fake, isImported } = await startUpdatingWorker(t, cron);
  await until('the import', LONG_MS, isImported);
  await until('the first run', LONG_MS, () => fake.requests.length > 0);
  const list = async (action: string) => {
    const { json } = await askAdmin(port, `/api/events?action=${action}`);
    return json['events'] as { status: number; task_id: string | null; meta: object }[];
  };
  const [report] = await list('self-update-report');
  assert.deepEqual([report?.status, report?.meta], [200, { file: NAME }]);
  assert.match(report?.task_id ?? '', /^tsk_/);
  const tick = await until('the event', LONG_MS, async () => (await list('scheduler')).at(-1));
  assert.deepEqual([tick.status, tick.meta], [202, { dry_run: false, txn: 'upd_7' }]);
});
