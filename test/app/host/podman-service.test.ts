import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { createPodmanService } from '../../../app/host/podman-service.ts';
import { isSuccess, type ServiceRequest } from '../../../shared/process/run-command.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

const QUESTION: ServiceRequest = { method: 'GET', path: '/v4.0.0/libpod/images/a%2Fb/json' };
const PULL: ServiceRequest = { method: 'POST', path: '/v4.0.0/libpod/images/pull?reference=a' };
const SECRET = 'not for an argument list';

/** A host whose `systemd-run` starts a server in place of podman's service, or ends as `start` says. */
function makeHost(
  context: TestContext,
  serve: Serve,
  start: readonly ('up' | 'failed')[] = ['up'],
) {
  // The path of a socket has a hundred characters at most.
  const folder = mkdtempSync(join(tmpdir(), 'podup-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const programs = makeTempFolder(context);
  writeFileSync(join(programs, 'podman'), '');
  const server = createServer(serve);
  context.after(() => server.closeAllConnections());
  context.after(() => server.close());
  let count = 0;
  const { asked, run: note } = answerCommands(() => ({
    end: { kind: 'exited', code: start[count++] === 'up' ? 0 : 1 },
  }));
  const sockets: string[] = [];
  const service = createPodmanService({
    folder,
    environment: { PATH: programs, HTTP_PROXY: SECRET, OTHER: 'of no interest' },
    run: async (command) => {
      const done = await note(command);
      if (!isSuccess(done)) return done;
      // Whoever joins a start is not told the socket.
      const socket = command.argv.at(-1)?.replace('unix://', '') ?? '';
      if (socket.startsWith('/')) sockets.push(socket);
      server.listen(sockets.at(-1) ?? join(folder, 'nobody'));
      await once(server, 'listening');
      return done;
    },
  });
  context.after(() => service.close());
  const answer = (request = QUESTION, others = {}) =>
    service.answer({ argv: ['podman'], timeoutMs: 60_000, ...others }, request);
  return { answer, asked, server, programs, sockets };
}

const say =
  (status: number, text: string): Serve =>
  (_request, response) =>
    response.writeHead(status).end(text);

describe('the service of podman', () => {
  test('is started by who needs it first, with an end to its life and no value in an argument', async (t) => {
    const seen: (string | undefined)[] = [];
    const { answer, asked, sockets } = makeHost(t, (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end('{"Id":"i1"}');
    });
    const [first, second] = await Promise.all([answer(), answer()]);
    assert.equal(first?.stdout, '{"Id":"i1"}');
    assert.deepEqual(first?.end, { kind: 'answered', status: 200, ...QUESTION });
    assert.deepEqual(first?.argv, ['podman']);
    assert.ok(second && isSuccess(second));
    await answer();
    assert.deepEqual(seen, Array(3).fill(`GET ${QUESTION.path}`));
    assert.equal(asked.length, 1);
    const { argv = [], environment } = asked[0] ?? {};
    const words: readonly string[] = argv;
    const [unit = ''] = words.filter((word) => word.startsWith('--unit='));
    assert.match(unit, /^--unit=podup-podman-[0-9a-f]{16}\.service$/);
    assert.match(sockets[0] ?? '', /podup-podman-[0-9a-f]{16}\.sock$/);
    for (const word of ['--collect', '--property=Type=notify', '--property=RuntimeMaxSec=3600'])
      assert.ok(words.includes(word), word);
    assert.deepEqual(words.slice(words.indexOf('--') + 1, -1), [
      ...['podman', 'system', 'service', '--time=10'],
    ]);
    assert.ok(words.includes('--setenv=HTTP_PROXY'));
    assert.doesNotMatch(words.join(' '), new RegExp(SECRET));
    assert.deepEqual(Object.keys(environment ?? {}).sort(), ['HTTP_PROXY', 'PATH']);
  });

  test('that another has just started is waited for', async (t) => {
    const { answer, asked, sockets } = makeHost(t, say(200, ''), ['failed', 'up']);
    sockets.push(join(tmpdir(), `podup-${process.pid}-other.sock`));
    t.after(() => rmSync(sockets[0] ?? '', { force: true }));
    await answer();
    const [first, second] = asked.map(({ argv }) => argv);
    const unit = first?.find((word) => word.startsWith('--unit='))?.slice('--unit='.length);
    assert.deepEqual(second, ['systemctl', '--user', 'start', '--', unit]);
  });

  test('that cannot be started is left alone, as nobody is where podman is not', async (t) => {
    const { answer, asked, programs } = makeHost(t, say(200, ''), ['failed', 'failed']);
    assert.equal(await answer(), undefined);
    assert.equal(await answer(), undefined);
    assert.equal(asked.length, 2);
    const none = makeHost(t, say(200, ''));
    rmSync(join(none.programs, 'podman'));
    assert.equal(await none.answer(), undefined);
    assert.equal(none.asked.length, 0);
    assert.notEqual(programs, none.programs);
  });

  for (const [title, request, serve, status, stderr, isWell] of [
    [
      'nothing of that name',
      QUESTION,
      say(404, '{"cause":"image not known","message":"a: image not known"}'),
      404,
      'a: image not known',
      true,
    ],
    [
      'nothing to change',
      { ...QUESTION, method: 'POST' },
      say(404, '{"message":"a: image not known"}'),
      404,
      'a: image not known',
      false,
    ],
    [
      'a fault',
      QUESTION,
      say(500, '{"message":"database is locked"}'),
      500,
      'database is locked',
      false,
    ],
    ['a fault in other words', QUESTION, say(502, 'oh\n'), 502, 'oh\n', false],
    [
      'a pull that failed when all had seemed well',
      PULL,
      say(200, '{"stream":"Trying"}\n{"error":"manifest unknown"}\n'),
      500,
      'manifest unknown',
      false,
    ],
    ['a pull that went well', PULL, say(200, '{"images":["i"],"id":"i"}\n'), 200, '', true],
  ] as const satisfies readonly (readonly [
    string,
    ServiceRequest,
    Serve,
    number,
    string,
    boolean,
  ])[]) {
    test(`says of ${title} what podman says`, async (t) => {
      const { answer } = makeHost(t, serve);
      const answered = await answer(request);
      assert.deepEqual(answered?.end, { kind: 'answered', status, ...request });
      assert.equal(answered?.stderr, stderr);
      assert.equal(answered && isSuccess(answered), isWell);
    });
  }

  test('that breaks off in an answer has said nothing, and may be asked again', async (t) => {
    let isBroken = true;
    const { answer } = makeHost(t, (_request, response) => {
      response.write('{"Id":');
      if (isBroken) response.destroy();
      else response.end('1}');
    });
    assert.equal(await answer(), undefined);
    isBroken = false;
    assert.equal((await answer())?.stdout, '{"Id":1}');
  });

  test('that does not answer in time is not asked again, and who is told to end does not wait', async (t) => {
    const { answer } = makeHost(t, () => undefined);
    const ending = new AbortController();
    const cut = answer(QUESTION, { signal: ending.signal });
    ending.abort();
    assert.deepEqual((await cut)?.end, { kind: 'aborted' });
    assert.deepEqual((await answer(PULL, { timeoutMs: 50 }))?.end, { kind: 'timed-out' });
    assert.deepEqual((await answer(QUESTION, { timeoutMs: 50 }))?.end, { kind: 'timed-out' });
    assert.equal(await answer(), undefined);
  });

  test('is not listened to for longer than a command would be', async (t) => {
    const { answer } = makeHost(t, say(200, 'x'.repeat(100_000)));
    const answered = await answer(QUESTION, { maxOutputBytes: 1_000 });
    assert.equal(answered?.stdoutDropped, 99_000);
    assert.ok((answered?.stdout.length ?? 0) < 2_000);
  });
});
