import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { bindSocket } from '../../../supervisor/socket/bind-socket.ts';
import { until } from '../../helpers/until.ts';
import { container, published } from '../domain/package-body.ts';
import {
  type Answer,
  ask,
  askAdmin,
  deliver,
  makeFolder,
  SECRET,
  TOKEN,
} from '../http/http-fixture.ts';
import { type ProgramStart, runProgram, startProgram } from './program.ts';

const PUSH = JSON.stringify(published(container()));
const LISTEN = ['--listen-fd', '3'];

/** A state directory and a socket as a supervisor holds it. */
function makeHost(context: TestContext) {
  const folder = makeFolder(context);
  const bound = bindSocket({ host: '127.0.0.1', port: 0 }, {}, process.pid);
  assert.ok(bound.ok);
  const { fd: socketFd, address, close } = bound.value;
  context.after(close);
  const environment = {
    PODUP_STATE_DIR: folder,
    PODUP_TOKEN: TOKEN,
    PODUP_GH_WEBHOOK_SECRET: SECRET,
    PODUP_MANUAL_UNITS: 'web',
    // No user manager, whatever the machine has.
    XDG_RUNTIME_DIR: '/proc/none',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
  };
  const start = (name: string, rest: ProgramStart = {}) =>
    startProgram(context, [name, ...LISTEN], environment, { socketFd, ...rest });
  const segments = () =>
    readdirSync(join(folder, 'intake')).filter((each) => each.endsWith('.spool'));
  /** What a process has put into the spool. */
  const readSpool = (pid: number | undefined) =>
    segments()
      .filter((name) => name.includes(`-${pid}-`))
      .map((name) => readFileSync(join(folder, 'intake', name), 'latin1'))
      .join('');
  const port = Number(address.split(':').pop());
  return { folder, environment, port, start, segments, readSpool };
}

/** Asks until it is the worker that answers, for the standby accepts from the same socket. */
function askWorker(port: number, path: string): Promise<Answer> {
  return until('an answer of the worker', 20_000, async () => {
    const answer = await askAdmin(port, path);
    return answer.json['code'] !== 'MAINTENANCE' && answer;
  });
}

const accepting = 'accepting webhooks in place of the worker';

describe('intake', () => {
  test('accepts webhooks on the inherited socket without a database, and SIGTERM ends it with 0', async (t) => {
    const { folder, port, start, segments } = makeHost(t);
    const { child, ended, logged } = start('intake');
    await logged(accepting);
    assert.equal((await deliver(port, 'web', PUSH)).status, 202);
    assert.equal((await ask(port, { path: '/api/tasks' })).status, 503);
    assert.deepEqual(readdirSync(folder), ['intake']);
    assert.equal(segments().length, 1);
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await ended;
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    assert.ok(!stdout.includes(SECRET) && !stdout.includes(TOKEN));
  });

  test('does not load the database library, and says nothing over its channel', async (t) => {
    const { start } = makeHost(t);
    const { child, logged } = start('intake', { channel: true });
    const said: unknown[] = [];
    child.on('message', (message) => said.push(message));
    await logged(accepting);
    assert.doesNotMatch(readFileSync(`/proc/${child.pid}/maps`, 'utf8'), /sqlite/i);
    assert.deepEqual(said, []);
  });

  test('is gone with its supervisor', async (t) => {
    const { start } = makeHost(t);
    const { child, ended, logged } = start('intake', { channel: true });
    await logged(accepting);
    const at = performance.now();
    child.disconnect();
    assert.equal((await ended).code, EXIT.ok);
    assert.ok(performance.now() - at < 1_000);
  });

  test('what it accepted the next worker takes over, also what comes while both serve', async (t) => {
    const { port, start, segments, readSpool } = makeHost(t);
    const standby = start('intake');
    await standby.logged(accepting);
    const early = await deliver(port, 'web', PUSH, { 'x-github-delivery': 'early' });
    const worker = start('http-server');
    await worker.logged('serving');
    // Both accept from the one socket.
    const late = await until('a delivery that the standby accepts', 20_000, async () => {
      const { length } = readSpool(standby.child.pid);
      const answer = await deliver(port, 'web', PUSH);
      return readSpool(standby.child.pid).length > length && answer;
    });
    assert.equal(late.status, 202);
    const known = async () => {
      const { json } = await askWorker(port, '/api/tasks?limit=500');
      const details = await Promise.all(
        (json['tasks'] as { task_id: string }[]).map(({ task_id }) =>
          askWorker(port, `/api/tasks/${task_id}`),
        ),
      );
      return details.flatMap((detail) => detail.json['deliveries'] as { id: string }[]);
    };
    for (const answer of [early, late]) {
      await until('the delivery in the database', 20_000, async () =>
        (await known()).some(({ id }) => id === answer.json['delivery']),
      );
    }
    assert.ok(
      segments().some((name) => name.includes(`-${standby.child.pid}-`)),
      'it still writes',
    );
    standby.child.kill('SIGTERM');
    await standby.ended;
    await until('the end of its segments', 20_000, () =>
      segments().every((name) => !name.includes(`-${standby.child.pid}-`)),
    );
  });

  test('a wrong configuration ends it with 78, for it could check no signature', async (t) => {
    const { environment } = makeHost(t);
    const wrong = { ...environment, PODUP_LOG_LEVEL: 'loud' };
    const { code, stderr } = await runProgram(t, ['intake', ...LISTEN], wrong);
    assert.equal(code, EXIT.configInvalid);
    assert.match(stderr, /PODUP_LOG_LEVEL: "loud"/);
  });

  test('a descriptor that is no socket ends it with 69, a state directory that is a file with 1', async (t) => {
    const { folder, environment } = makeHost(t);
    const none = await runProgram(t, ['intake', '--listen-fd', '77'], environment);
    assert.equal(none.code, EXIT.socketUnavailable);
    writeFileSync(join(folder, 'file'), '');
    const file = { ...environment, PODUP_STATE_DIR: join(folder, 'file') };
    const unusable = await runProgram(t, ['intake', ...LISTEN], file);
    assert.equal(unusable.code, EXIT.failure);
    assert.match(unusable.stderr, /^STATE_DIR_UNUSABLE/);
  });
});
