import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { MIGRATIONS } from '../../../app/db/generated-migrations.ts';
import { PROGRAM } from '../../../shared/config/program-version.ts';
import type { SupervisorMessage, WorkerNotice } from '../../../shared/contract/worker-messages.ts';
import { buildRelease } from '../../helpers/release.ts';
import { until } from '../../helpers/until.ts';
import { container, published } from '../domain/package-body.ts';
import {
  askAdmin,
  deliver,
  deliveryHeaders,
  makeFolder,
  SECRET,
  TOKEN,
} from '../http/http-fixture.ts';
import { type ProgramStart, startProgram } from './program.ts';

const SCRIPT = join(import.meta.dirname, '../../../scripts/pod-upgrade-trigger.ts');
const PUSH = JSON.stringify(published(container()));
const SCHEMA = MIGRATIONS.at(-1)?.version;

/** How long a worker may live without its supervisor, and what a busy machine may add to that. */
const ORPHAN_MS = 500 + 500;

/** A worker as its supervisor starts it, which is the test. */
function startSupervised(
  context: TestContext,
  words: readonly string[] = [],
  folder = makeFolder(context),
  start: ProgramStart = {},
) {
  const run = startProgram(
    context,
    ['http-server', ...words],
    {
      PODUP_STATE_DIR: folder,
      PODUP_HTTP_ADDR: '127.0.0.1:0',
      PODUP_TOKEN: TOKEN,
      PODUP_GH_WEBHOOK_SECRET: SECRET,
      PODUP_MANUAL_UNITS: 'web',
      // No user manager, whatever the machine has.
      XDG_RUNTIME_DIR: '/proc/none',
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
    },
    { channel: true, ...start },
  );
  const notices: WorkerNotice[] = [];
  run.child.on('message', (notice) => notices.push(notice as WorkerNotice));
  const said = (kind: WorkerNotice['kind']) =>
    until(`the notice ${kind}`, 60_000, () => notices.find((notice) => notice.kind === kind));
  const port = async () =>
    Number(
      String((await run.logged('serving'))['address'])
        .split(':')
        .pop(),
    );
  const tell = (message: SupervisorMessage) => run.child.send(message);
  return { ...run, folder, notices, said, port, tell };
}

/** Of the deployment; the service looks for missed deliveries of its own accord. */
async function statusOf(port: number): Promise<string | undefined> {
  const { json } = await askAdmin(port, '/api/tasks?kind=github-webhook');
  return (json['tasks'] as { status: string }[])[0]?.status;
}

/** Kills the supervisor, as far as the worker can see; how long the worker lives on. */
async function orphan({ child, ended }: ReturnType<typeof startSupervised>): Promise<number> {
  const at = performance.now();
  child.disconnect();
  await ended;
  return performance.now() - at;
}

describe('http-server under a supervisor', () => {
  test('says that it migrates, that it recovers, and that it is ready once it accepts', async (t) => {
    const { said, notices, port } = startSupervised(t);
    const ready = await said('worker-ready');
    // What was said before had been sent before.
    assert.deepEqual(notices.slice(0, 2), [
      { kind: 'worker-starting', step: 'migrating' },
      { kind: 'worker-starting', step: 'recovering' },
    ]);
    assert.deepEqual(ready, {
      kind: 'worker-ready',
      version: PROGRAM.version,
      schema: SCHEMA,
      digest: null,
    });
    assert.equal((await askAdmin(await port(), '/api/tasks')).status, 200);
  });

  test('in a trial names its program file and begins no task before it is to proceed', async (t) => {
    const { said, port, tell } = startSupervised(t, ['--trial']);
    const ready = await said('worker-ready');
    assert.deepEqual(
      ready.kind === 'worker-ready' && ready.digest,
      createHash('sha256').update(readFileSync(SCRIPT)).digest('hex'),
    );
    const at = await port();
    assert.equal((await deliver(at, 'web', PUSH)).status, 202);
    await until('the task', 60_000, async () => (await statusOf(at)) === 'pending');
    // Asks the host what the choice of an executor asks it: by then a task that may begin has begun.
    for (let round = 0; round < 2; round++) await askAdmin(at, '/health');
    assert.equal(await statusOf(at), 'pending');
    tell({ kind: 'proceed' });
    await until('its end', 60_000, async () => (await statusOf(at)) === 'failed');
  });

  test('paused it accepts webhooks and works on them when it is to proceed', async (t) => {
    const { said, port, tell, logged } = startSupervised(t);
    const at = await port();
    tell({ kind: 'pause' });
    await said('worker-idle');
    assert.equal((await deliver(at, 'web', PUSH)).status, 202);
    await until('the task', 60_000, async () => (await statusOf(at)) === 'pending');
    tell({ kind: 'proceed' });
    await logged('task ended');
  });
});

describe('a worker that migrates for long', () => {
  test('says all the while that it gets on', { timeout: 120_000 }, async (t) => {
    const folder = makeFolder(t);
    const { file, version, schema } = await buildRelease({
      folder,
      version: '2.0.0',
      // Long enough on a machine that is faster now than when it was measured.
      break: 'slow-migration:15000',
    });
    const at = performance.now();
    const { said, notices } = startSupervised(t, [], join(folder, 'state'), { file });
    const ready = await said('worker-ready');
    assert.ok(performance.now() - at > 5_000, 'the migration was not slow');
    assert.deepEqual(ready, { kind: 'worker-ready', version, schema, digest: null });
    const migrating = { kind: 'worker-starting', step: 'migrating' };
    assert.deepEqual(notices.slice(0, 2), [migrating, migrating]);
  });

  test('is gone at once when its supervisor is, and leaves nothing of the migration', {
    timeout: 120_000,
  }, async (t) => {
    const folder = makeFolder(t);
    const release = { folder, version: '2.0.0', break: 'slow-migration:60000' } as const;
    const { file } = await buildRelease(release);
    const run = startSupervised(t, [], join(folder, 'state'), { file });
    const database = join(folder, 'state/data/pod-upgrade-trigger.db');
    const version = () => {
      const opened = new SqliteDatabase(database, { fileMustExist: true });
      const found = opened.pragma('user_version', { simple: true });
      opened.close();
      return found;
    };
    await run.said('worker-starting');
    await until('the migrations before it', 20_000, () => {
      try {
        return version() === SCHEMA;
      } catch {
        return false;
      }
    });
    assert.ok((await orphan(run)) < ORPHAN_MS);
    assert.equal(version(), SCHEMA);
  });
});

describe('a worker whose supervisor is gone', () => {
  test('is gone as well, whoever is connected to it', async (t) => {
    const run = startSupervised(t);
    const port = await run.port();
    await run.said('worker-ready');
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const sent = request({ host: '127.0.0.1', port, path: '/health', agent }).end();
    const [response] = await once(sent, 'response');
    response.resume();
    await once(response, 'end');
    const open = await Promise.all(
      ['', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1'].map((bytes) =>
        openConnection(t, port, bytes),
      ),
    );
    assert.ok((await orphan(run)) < ORPHAN_MS);
    assert.equal(open.length, 2);
  });

  test('finishes the delivery that is under way, and accepts no other', async (t) => {
    // On a machine that is too busy the rest of the delivery comes after the quarter of a second that it has.
    const answer = await until('an answer', 100_000, async () => {
      const { answer, port, code } = await deliverToOrphan(t);
      await assert.rejects(openConnection(t, port, ''), /ECONNREFUSED/);
      return code === 0 && answer !== '' && answer;
    });
    assert.match(answer, /^HTTP\/1\.1 202 /);
    assert.match(answer, /"verdict":"accepted"/);
  });

  test('does not wait any longer for what it has waited for since a stop', async (t) => {
    const run = startSupervised(t);
    const port = await run.port();
    await openConnection(t, port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1');
    await askAdmin(port, '/api/tasks');
    run.child.kill('SIGTERM');
    await run.logged('stopping');
    assert.ok((await orphan(run)) < ORPHAN_MS);
  });
});

/** Sends half a delivery, takes the supervisor away, and sends the rest; what the worker answers and how it ends. */
async function deliverToOrphan(t: TestContext) {
  const run = startSupervised(t);
  const port = await run.port();
  await run.said('worker-ready');
  const headers = Object.entries(deliveryHeaders(PUSH)).map(([name, value]) => `${name}: ${value}`);
  const head = [
    'POST /github-package-update/web HTTP/1.1',
    'host: x',
    'expect: 100-continue',
    ...headers,
  ];
  const socket = await openConnection(t, port, `${head.join('\r\n')}\r\n\r\n`);
  // It has begun to read: what only waits in the kernel is for the next worker.
  await once(socket, 'data');
  socket.write(PUSH.slice(0, 10));
  run.child.disconnect();
  await run.logged('stopping');
  socket.write(PUSH.slice(10));
  const parts: string[] = [];
  socket.setEncoding('utf8').on('data', (text: string) => parts.push(text));
  // Of a worker that came too late and was killed the connection is reset, which is no more than an early end here.
  await new Promise((resolve) => socket.once('close', resolve));
  const { code } = await run.ended;
  return { answer: parts.join(''), port, code };
}

async function openConnection(context: TestContext, port: number, bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  context.after(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (bytes !== '') socket.write(bytes);
  return socket;
}
