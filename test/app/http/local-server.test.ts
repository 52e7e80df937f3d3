// Needs: setpriv
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { keepRefusedDeliveries } from '../../../app/deliveries/refused-deliveries.ts';
import { HookBook } from '../../../app/hooks/hook-book.ts';
import { FailedCredentials } from '../../../app/http/credentials/failed-credentials.ts';
import { listenLocally } from '../../../app/http/local-server.ts';
import { registerHooks } from '../../../app/http/routes/hooks.ts';
import { guardOf } from '../../../app/join-limits.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { fitSocketPath } from '../../../shared/fs/socket-path.ts';
import { ask, makeFolder, startApp } from './http-fixture.ts';

const run = promisify(execFile);
const IS_ROOT = process.getuid?.() === 0;
/** A user that is nobody's. */
const OTHER_UID = 64_321;

/** Asks over a socket; the body of the answer. */
async function askOver(path: string, url: string, method = 'GET') {
  const fitting = fitSocketPath(path);
  const sent = request({ socketPath: fitting.path, path: url, method, agent: false });
  sent.end();
  const [answer] = await once(sent, 'response');
  fitting.release();
  return { status: answer.statusCode as number, body: await json(answer) };
}

/** Connects as another user, with these capabilities kept; what the kernel or the server makes of it. */
async function connectAs(path: string, ...options: string[]): Promise<string> {
  const script = `
    const socket = require('node:net').connect(process.argv[1]);
    socket.on('error', ({ code }) => console.log(code));
    socket.on('connect', () => socket.write('GET /api/tasks HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'));
    socket.on('data', (data) => { console.log(String(data).slice(0, 12)); socket.destroy(); });
    socket.on('end', () => console.log('cut off'));`;
  const words = ['--reuid', String(OTHER_UID), '--clear-groups', ...options];
  const args = [...words, process.execPath, '-e', script, path];
  const { stdout, stderr } = await run('setpriv', args, { timeout: 20_000 });
  return stdout.trim() || stderr;
}

/** A folder that others may look into, as long as nothing forbids it. */
function openToOthers(folder: string): void {
  for (const path of [folder, join(folder, 'data')]) chmodSync(path, 0o755);
}

async function serve(context: TestContext, path: string) {
  const server = createServer((_request, response) => response.end('{}'));
  const listening = await listenLocally(server, path);
  context.after(() => server.close());
  return { server, listening };
}

describe('the socket of the service', () => {
  test('answers without a token, and knows the caller by the user', async (t) => {
    const { folder, store, events, port } = await startApp(t);
    const { serviceSocket } = statePaths(folder);
    assert.equal(statSync(serviceSocket).mode & 0o777, 0o600);
    const { status, body } = await askOver(serviceSocket, '/api/tasks?limit=1');
    assert.deepEqual([status, (body as { tasks: unknown[] }).tasks], [200, []]);
    // What came over TCP is none of it.
    assert.equal((await ask(port, { path: '/api/tasks' })).status, 401);
    events.flush();
    const [second, first] = store.events.list({ limit: 2 }).rows;
    assert.deepEqual([first?.actor, first?.remote_address], [`cli:${userInfo().username}`, null]);
    assert.deepEqual([second?.actor, second?.remote_address], [null, '127.0.0.1']);
  });

  test('refuses what opens no hook as over TCP, although it comes from no address', async (t) => {
    let close = () => {};
    const { folder, store } = await startApp(t, {
      prepare(app, { store, log, intake, units, listUnits }) {
        const limits = { perAddress: 1, total: 9, windowMs: 60_000 };
        const failed = new FailedCredentials({ limits, save: () => {}, onLimited: () => {} });
        const refused = keepRefusedDeliveries(store, [], log);
        close = refused.close;
        registerHooks(app, {
          ...{ log, intake, book: new HookBook(), maxBodyBytes: 1_000, toleranceMs: 1 },
          units: { ...units, list: listUnits },
          ...{ failed: guardOf(failed, 'webhook'), noteRefused: refused.note },
        });
      },
    });
    const { serviceSocket } = statePaths(folder);
    const post = async () => (await askOver(serviceSocket, '/hooks/none', 'POST')).body;
    const codeOf = async () => ((await post()) as { code: string }).code;
    assert.deepEqual([await codeOf(), await codeOf()], ['HOOK_REFUSED', 'CREDENTIALS_LIMITED']);
    close();
    assert.deepEqual(
      store.refusedDeliveries.list(9).map(({ address, code }) => [address, code]),
      [
        ['local', 'CREDENTIALS_LIMITED'],
        ['local', 'HOOK_REFUSED'],
      ],
    );
  });

  test('takes the place of one that a dead server has left, at once', async (t) => {
    const path = join(makeFolder(t), 'service.sock');
    const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script, path]);
    assert.ok(existsSync(path));
    const { listening } = await serve(t, path);
    assert.ok(listening.ok);
    assert.equal((await askOver(path, '/')).status, 200);
  });

  test('may lie deeper than the address of a socket is long', async (t) => {
    const path = join(makeFolder(t), 'deep'.repeat(40), 'service.sock');
    mkdirSync(dirname(path));
    const { server, listening } = await serve(t, path);
    assert.ok(listening.ok);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal((await askOver(path, '/')).status, 200);
    server.close();
    await once(server, 'close');
    assert.ok(!existsSync(path));
  });

  test('that cannot be made is a failure that names it', async (t) => {
    const folder = makeFolder(t);
    writeFileSync(join(folder, 'file'), '');
    const { listening } = await serve(t, join(folder, 'file', 'service.sock'));
    assert.equal(listening.ok || listening.failure.code, 'SOCKET_UNAVAILABLE');
  });

  test('lets no other user connect', { skip: !IS_ROOT && 'needs root' }, async (t) => {
    const { folder } = await startApp(t);
    openToOthers(folder);
    assert.equal(await connectAs(statePaths(folder).serviceSocket), 'EACCES');
  });

  test('cuts off one whom the rights of the file do not hold', {
    skip: !IS_ROOT && 'needs root',
  }, async (t) => {
    const { folder, log } = await startApp(t);
    openToOthers(folder);
    const powers = ['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override'];
    assert.match(
      await connectAs(statePaths(folder).serviceSocket, ...powers),
      /^(?:cut off|ECONNRESET|EPIPE)/,
    );
    assert.match(log.join(''), /"uid":64321,"msg":"a connection of another user was refused"/);
  });

  test('hears a client that says nothing without harm', async (t) => {
    const { folder } = await startApp(t);
    const { serviceSocket } = statePaths(folder);
    const silent = connect(serviceSocket);
    await once(silent, 'connect');
    assert.equal((await askOver(serviceSocket, '/api/tasks')).status, 200);
    silent.destroy();
  });
});
