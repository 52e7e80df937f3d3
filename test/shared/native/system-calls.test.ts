// Needs: flock, perl
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { BoundSocket, connect, createServer } from 'node:net';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { loadSystemCalls, loadSystemCallsNow } from '../../../shared/native/system-calls.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const MODULE = new URL('../../../shared/native/system-calls.ts', import.meta.url).href;
/** Long enough for anything that does not hang. */
const LIMIT_MS = 20_000;

const loaded = await loadSystemCalls();
assert.ok(loaded.ok);
const calls = loaded.value;

/** A file that is open. */
function openFile(t: TestContext): number {
  const fd = openSync(join(makeTempFolder(t), 'file'), 'w+');
  t.after(() => closeSync(fd));
  return fd;
}

/** What a snippet prints that has the module as `loadSystemCalls`, in a process of its own. */
function runSnippet(snippet: string, ...options: string[]): string {
  const script = `import { loadSystemCalls } from ${JSON.stringify(MODULE)};\n${snippet}`;
  const args = [...options, '--input-type=module', '-e', script];
  return execFileSync(process.execPath, args, { encoding: 'utf8', timeout: LIMIT_MS }).trim();
}

/** Whether koffi is in the memory of a process. */
const HAS_KOFFI = `(await import('node:fs')).readFileSync('/proc/self/maps', 'utf8').includes('koffi.node')`;

describe('loading', () => {
  test('costs nothing before somebody asks for it', () => {
    const snippet = `console.log(${HAS_KOFFI}); await loadSystemCalls(); console.log(${HAS_KOFFI});`;
    assert.equal(runSnippet(snippet), 'false\ntrue');
  });

  test('happens once', () => {
    assert.equal(loadSystemCallsNow(), loaded);
  });

  test('that fails says what is lost', () => {
    const hide = `import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => {
        if (name === 'koffi') throw new Error('no koffi\\nRequire stack: …');
        return next(name, context);
      } });`;
    const printed = runSnippet(
      'console.log(JSON.stringify(await loadSystemCalls()));',
      ...['--import', `data:text/javascript,${encodeURIComponent(hide)}`],
    );
    const { ok, failure } = JSON.parse(printed);
    assert.equal(ok, false);
    assert.equal(failure.code, 'SYSTEM_CALLS_UNAVAILABLE');
    assert.match(failure.detail, /^no koffi\. Lost: .*restarts.*init.*systemd.*flock; .*\.$/);
  });
});

describe('peerOf', () => {
  test('knows the process and the user at the other end of a socket', async (t) => {
    const path = join(makeTempFolder(t), 'socket');
    const server = createServer().listen(path);
    t.after(() => server.close());
    await once(server, 'listening');
    const client = spawn(process.execPath, [
      '-e',
      `require('node:net').connect(process.argv[1])`,
      path,
    ]);
    t.after(() => client.kill());
    const [socket] = await once(server, 'connection');
    t.after(() => socket.destroy());
    const { fd } = socket._handle;
    assert.deepEqual(calls.peerOf(fd), { pid: client.pid, uid: process.getuid?.() });
  });

  test('of what is no socket is an error', (t) => {
    assert.throws(() => calls.peerOf(openFile(t)), { code: 'ENOTSOCK' });
  });
});

describe('setCloseOnExec', () => {
  /** As the kernel sees it: O_CLOEXEC in octal digits, proc_pid_fdinfo(5). */
  const isClosed = (fd: number) =>
    /^flags:\s+02/m.test(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));

  test('can be taken away and put back', (t) => {
    const fd = openFile(t);
    assert.equal(isClosed(fd), true);
    calls.setCloseOnExec(fd, false);
    assert.equal(isClosed(fd), false);
    calls.setCloseOnExec(fd, true);
    assert.equal(isClosed(fd), true);
  });

  test('decides whether a socket survives execve', () => {
    const program = (on: boolean) => `
      const { value: calls } = await loadSystemCalls();
      const { BoundSocket } = await import('node:net');
      const bound = new BoundSocket({ host: '127.0.0.1', port: 0 });
      calls.setCloseOnExec(bound.fd(), ${on});
      const look = 'try { console.log(fs.readlinkSync("/proc/self/fd/" + process.argv[1]).split(":")[0]); } catch (error) { console.log(error.code); }';
      process.execve(process.execPath, [process.execPath, '-e', look, String(bound.fd())]);`;
    assert.equal(runSnippet(program(false)), 'socket');
    assert.equal(runSnippet(program(true)), 'ENOENT');
  });

  test('of a descriptor that is not open is an error of the system', () => {
    const expected = { code: 'EBADF', syscall: 'fcntl', errno: -9, message: 'EBADF: fcntl' };
    assert.throws(() => calls.setCloseOnExec(987, true), expected);
  });
});

describe('duplicate', () => {
  test('gives what is open another number, in place of what had it', (t) => {
    const [from, to] = [openFile(t), openFile(t)];
    const look = (fd: number) => readlinkSync(`/proc/self/fd/${fd}`);
    assert.notEqual(look(from), look(to));
    calls.duplicate(from, to);
    assert.equal(look(from), look(to));
  });

  test('of a descriptor that is not open is an error of the system', () => {
    assert.throws(() => calls.duplicate(987, 986), { code: 'EBADF', syscall: 'dup2' });
  });
});

describe('flockExclusive', () => {
  test('is held by one open file at a time', (t) => {
    const path = join(makeTempFolder(t), 'file');
    const [first, second] = [openSync(path, 'w+'), openSync(path, 'w+')];
    assert.equal(calls.flockExclusive(first), true);
    assert.equal(calls.flockExclusive(first), true);
    assert.equal(calls.flockExclusive(second), false);
    closeSync(first);
    assert.equal(calls.flockExclusive(second), true);
    closeSync(second);
  });

  test('is the lock of flock(1)', (t) => {
    const path = join(makeTempFolder(t), 'file');
    const fd = openSync(path, 'w+');
    const take = () => spawnSync('flock', ['-n', path, 'true']).status;
    assert.equal(take(), 0);
    assert.equal(calls.flockExclusive(fd), true);
    assert.equal(take(), 1);
    closeSync(fd);
    assert.equal(take(), 0);
  });

  test('of a descriptor that is not open is an error of the system', () => {
    assert.throws(() => calls.flockExclusive(987), { code: 'EBADF', syscall: 'flock' });
  });
});

describe('listen', () => {
  test('lets a client connect before anybody accepts', async () => {
    const bound = new BoundSocket({ host: '127.0.0.1', port: 0 });
    const { port } = bound.address();
    await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
    calls.listen(bound.fd(), 4096);
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    client.destroy();
    bound.close();
  });

  test('of what is no socket is an error of the system', (t) => {
    assert.throws(() => calls.listen(openFile(t), 1), { code: 'ENOTSOCK', syscall: 'listen' });
  });
});

describe('children', () => {
  test('where there are none, none has ended', () => {
    const snippet = `const { value: calls } = await loadSystemCalls();
      console.log(calls.peekChild(), calls.reapChild(1));`;
    assert.equal(runSnippet(snippet), 'undefined false');
  });

  test('one that lives is not seen; one that has ended is, until it is reaped', async () => {
    // A child whose end Node does not look for: Node looks when its signal comes, which a blocked loop puts off.
    const snippet = `
      const { value: calls } = await loadSystemCalls();
      const { spawn } = await import('node:child_process');
      const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
      const seen = [calls.peekChild(), calls.reapChild(child.pid)];
      process.kill(child.pid, 'SIGKILL');
      let ended;
      while (ended === undefined) ended = calls.peekChild();
      seen.push(ended === child.pid, calls.peekChild() === child.pid, calls.reapChild(child.pid));
      seen.push(calls.peekChild(), calls.reapChild(child.pid));
      console.log(JSON.stringify(seen.map(String)));
      process.exit();`;
    assert.deepEqual(JSON.parse(runSnippet(snippet)), [
      ...['undefined', 'false'],
      ...['true', 'true', 'true'],
      ...['undefined', 'false'],
    ]);
  });
});

/** Somebody who takes datagrams as systemd does; perl, for Node has no such sockets. */
const RECEIVER = String.raw`
  use Socket;
  my $path = $ARGV[0] =~ s/^@/\0/r;
  socket(my $taker, AF_UNIX, SOCK_DGRAM, 0) or die $!;
  bind($taker, pack_sockaddr_un($path)) or die $!;
  $| = 1;
  print "ready\n";
  sleep if $ARGV[1];
  while (defined recv($taker, my $message, 65536, 0)) { print $message =~ s/\n/|/gr, "\n" }`;

/** What arrives at a socket, one message a line with bars for line feeds. */
async function receive(t: TestContext, path: string, ...how: string[]) {
  const child = spawn('perl', ['-e', RECEIVER, path, ...how], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, 'ready');
  return async () => (await lines.next()).value ?? '';
}

describe('notify', () => {
  const ABSTRACT = `@podup-tést-${process.pid}`;

  for (const [which, place] of [
    ['a path', (t: TestContext) => join(makeTempFolder(t), 'notify')],
    ['an abstract address', () => ABSTRACT],
    ['the longest address', () => `@${'x'.repeat(106)}`],
  ] as const)
    test(`reaches ${which}, one message at a time`, async (t) => {
      const path = place(t);
      const next = await receive(t, path);
      const long = `STATUS=${'grün '.repeat(500)}`;
      for (const message of ['READY=1\nMAINPID=1', 'STOPPING=1', long]) {
        assert.equal(calls.notify(path, message), true);
        assert.equal(await next(), message.replaceAll('\n', '|'));
      }
    });

  const NOBODY: readonly (readonly [title: string, path: string])[] = [
    ['a path where there is nothing', '/nowhere/notify'],
    ['an abstract address that nobody has', `${ABSTRACT}-gone`],
    ['a file that is no socket', '/dev/null'],
    ['a path longer than any socket has', `/${'x'.repeat(107)}`],
    ['an empty path', ''],
    ['a socket of another family', 'vsock:2:1234'],
  ];
  for (const [title, path] of NOBODY)
    test(`to ${title} is taken by nobody`, () =>
      assert.equal(calls.notify(path, 'READY=1'), false));

  test('to a relative path is taken by nobody, for it is no address of systemd', async (t) => {
    const path = join(makeTempFolder(t), 'notify');
    await receive(t, path);
    assert.equal(calls.notify(relative(process.cwd(), path), 'READY=1'), false);
  });

  test('neither waits for a receiver that is stuck nor leaves descriptors open', async (t) => {
    const path = join(makeTempFolder(t), 'stuck');
    await receive(t, path, 'sleep');
    const before = readdirSync('/proc/self/fd').length;
    // As many as the kernel queues for it.
    let taken = 0;
    while (taken < 100_000 && calls.notify(path, 'WATCHDOG=1')) taken++;
    assert.ok(taken > 0 && taken < 100_000, `${taken}`);
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
});
