import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { askProbe } from '../../../app/deploy/ask-probe.ts';
import { askLocal } from '../../../app/host/ask-local.ts';
import { type RunCommand, runCommand } from '../../../shared/process/run-command.ts';
import { until } from '../../helpers/until.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

const noCommand: RunCommand = () => assert.fail('a command was run');

/** Listens on loopback until the test ends; the port. */
async function listen(context: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function serve(context: TestContext, reply: RequestListener) {
  const server = createHttpServer(reply);
  const port = await listen(context, server);
  context.after(() => server.closeAllConnections());
  const countOpen = () =>
    new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
  return { url: `http://127.0.0.1:${port}/health?a=b`, countOpen };
}

/** A port of loopback on which nobody listens any more. */
async function closedPort(context: TestContext): Promise<number> {
  const server = createServer();
  const port = await listen(context, server);
  server.close();
  await once(server, 'close');
  return port;
}

describe('an HTTP probe', () => {
  for (const [status, isContent] of [
    [200, true],
    [204, true],
    [301, true],
    [399, true],
    [400, false],
    [404, false],
    [500, false],
    [503, false],
  ] as const)
    test(`is ${isContent ? '' : 'not '}content with ${status}, which is the only question`, async (t) => {
      const asked: string[] = [];
      const { url } = await serve(t, ({ method, url: path, headers }, response) => {
        asked.push(`${method} ${path} ${headers['user-agent']}`);
        response.writeHead(status, { location: '/elsewhere' }).end();
      });
      const failure = await askProbe({ kind: 'http', url }, noCommand, askLocal);
      // What stands behind the path may be a secret.
      const detail = `${url.replace('?a=b', '')} answered ${status}.`;
      assert.deepEqual(failure, isContent ? null : { code: 'GATE_PROBE_FAILED', detail });
      assert.deepEqual(asked, ['GET /health?a=b pod-upgrade-trigger']);
    });

  test('fails where nobody listens', async (t) => {
    const url = `http://127.0.0.1:${await closedPort(t)}/`;
    const failure = await askProbe({ kind: 'http', url }, noCommand, askLocal);
    assert.deepEqual(failure, { code: 'GATE_PROBE_FAILED', detail: `${url}: ECONNREFUSED.` });
  });

  test('fails where something else than HTTP is spoken, or nothing', async (t) => {
    for (const text of ['SSH-2.0-OpenSSH_9.9\r\n', '']) {
      const port = await listen(
        t,
        createServer((socket) => socket.end(text)),
      );
      const failure = await askProbe(
        { kind: 'http', url: `http://127.0.0.1:${port}/` },
        noCommand,
        askLocal,
      );
      assert.equal(failure?.code, 'GATE_PROBE_FAILED');
    }
  });

  for (const status of [200, 500])
    test(`is not held up by a body that never ends, of ${status}`, {
      timeout: 4_000,
    }, async (t) => {
      const closed = Promise.withResolvers<void>();
      const { url } = await serve(t, (_, response) => {
        response.writeHead(status);
        const timer = setInterval(() => response.write('x'.repeat(1_000)), 5);
        response.on('close', () => {
          clearInterval(timer);
          closed.resolve();
        });
      });
      const failure = await askProbe({ kind: 'http', url }, noCommand, askLocal);
      assert.equal(failure === null, status === 200);
      await closed.promise;
    });

  test('leaves no connection open', async (t) => {
    const { url, countOpen } = await serve(t, (_, response) => response.end('fine'));
    assert.equal(await askProbe({ kind: 'http', url }, noCommand, askLocal), null);
    await until('the end of the connection', 3_000, async () => (await countOpen()) === 0);
  });

  test('says at most 500 characters', async (t) => {
    const { url } = await serve(t, (_, response) => response.writeHead(500).end());
    const failure = await askProbe(
      { kind: 'http', url: url.replace('?', 'x'.repeat(1_000)) },
      noCommand,
      askLocal,
    );
    assert.equal(failure?.detail.length, 500);
  });
});

describe('a TCP probe', () => {
  test('is content with a connection, and ends it', { timeout: 4_000 }, async (t) => {
    const ended = Promise.withResolvers<void>();
    const server = createServer((socket) => socket.on('close', () => ended.resolve()).resume());
    const port = await listen(t, server);
    assert.equal(
      await askProbe({ kind: 'tcp', host: '127.0.0.1', port }, noCommand, askLocal),
      null,
    );
    await ended.promise;
  });

  test('fails where nobody listens', async (t) => {
    const port = await closedPort(t);
    const failure = await askProbe({ kind: 'tcp', host: '127.0.0.1', port }, noCommand, askLocal);
    const detail = `127.0.0.1:${port}: ECONNREFUSED.`;
    assert.deepEqual(failure, { code: 'GATE_PROBE_FAILED', detail });
  });
});

describe('an exec probe', () => {
  test('is content with exit 0', async () => {
    assert.equal(await askProbe({ kind: 'exec', argv: ['/bin/true'] }, runCommand, askLocal), null);
  });

  for (const [argv, said] of [
    [['/bin/sh', '-c', 'echo not ready >&2; exit 1'], /exit(?:ed with)? (?:code )?1.*not ready/is],
    [['/bin/sh', '-c', 'kill -9 $$'], /SIGKILL/],
    [['/nowhere/at-all'], /ENOENT|not start/],
  ] as const)
    test(`fails for ${argv.join(' ')}`, async () => {
      const failure = await askProbe({ kind: 'exec', argv }, runCommand, askLocal);
      assert.equal(failure?.code, 'GATE_PROBE_FAILED');
      assert.match(failure.detail, said);
    });

  for (const end of [
    { kind: 'connection-lost', reason: 'host' },
    { kind: 'not-started', reason: 'SSH_UNREACHABLE: host: refused' },
  ] as const)
    test(`says nothing of the unit where its host is out of reach (${end.kind})`, async () => {
      const { run } = answerCommands(() => ({ end }));
      const failure = await askProbe({ kind: 'exec', argv: ['/bin/true'] }, run, askLocal);
      assert.equal(failure?.code, 'SSH_UNREACHABLE');
    });

  test('runs the words as they are, for a few seconds at most', async () => {
    const { run, asked } = answerCommands(() => ({}));
    await askProbe({ kind: 'exec', argv: ['/bin/a', '$HOME', 'b c'] }, run, askLocal);
    assert.deepEqual(asked, [
      { argv: ['/bin/a', '$HOME', 'b c'], timeoutMs: 5_000, hidesArguments: true },
    ]);
  });
});
