import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { startSupervisor } from './supervisor-process.ts';

describe('supervise: a worker that ends unasked', { concurrency: 4 }, () => {
  for (const code of [0, 1, 10]) {
    test(`exit code ${code} is a crash: the next start waits, longer each time`, async (t) => {
      const supervisor = startSupervisor(t, ['exit-at-once.ts'], {
        FIXTURE_EXIT_CODE: String(code),
      });
      assert.equal((await supervisor.next('worker ended unasked'))['code'], code);
      const first = await supervisor.next('waiting before the next start');
      const second = await supervisor.next('waiting before the next start');
      assertWithin(first['delayMs'], 40, 60);
      assertWithin(second['delayMs'], 80, 120);
    });
  }

  test('exit code 75 is restarted at once three times, and then treated as a crash', async (t) => {
    const supervisor = startSupervisor(t, ['exit-at-once.ts'], { FIXTURE_EXIT_CODE: '75' });
    await supervisor.next('waiting before the next start');
    const messages = supervisor.lines.map((line) => line.msg);
    assert.equal(messages.filter((msg) => msg === 'worker asked to be restarted').length, 3);
    assert.equal(messages.filter((msg) => msg === 'worker started').length, 4);
  });

  test('exit code 78 ends the supervisor with 78', async (t) => {
    const supervisor = startSupervisor(t, ['exit-at-once.ts'], { FIXTURE_EXIT_CODE: '78' });
    assert.equal((await supervisor.ended()).code, 78);
    assert.equal(supervisor.lines.filter((line) => line.msg === 'worker started').length, 1);
  });

  test('a worker that is killed gets a successor on the same socket', async (t) => {
    const supervisor = startSupervisor(t, ['serve.ts']);
    const port = await supervisor.port();
    const first = await supervisor.next('serving');
    process.kill(Number(first['pid']), 'SIGKILL');
    assert.equal((await supervisor.next('worker ended unasked'))['signal'], 'SIGKILL');
    // Nobody serves just now; the held socket lets the client wait instead of refusing it.
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'x' });
    const second = await supervisor.next('serving');
    assert.equal(await response.text(), String(second['pid']));
    assert.notEqual(first['pid'], second['pid']);
  });

  test('a command that cannot be run is tried again and can be stopped', async (t) => {
    const supervisor = startSupervisor(t, ['--', '/nonexistent/command']);
    assert.match(
      String((await supervisor.next('worker could not be started'))['reason']),
      /ENOENT/,
    );
    await supervisor.next('worker could not be started');
    supervisor.child.kill('SIGTERM');
    assert.equal((await supervisor.ended()).code, 0);
  });
});

describe('supervise: the start', { concurrency: 4 }, () => {
  test('an address in use ends the supervisor with 69, a sentence and a hint', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address);
    const supervisor = startSupervisor(t, ['serve.ts'], {
      PODUP_HTTP_ADDR: `127.0.0.1:${address.port}`,
    });
    const { code, stderr } = await supervisor.ended();
    await supervisor.silent;
    assert.equal(code, 69);
    assert.match(
      stderr,
      /SOCKET_UNAVAILABLE: The listening address cannot be bound\. .*EADDRINUSE/,
    );
    assert.match(stderr, /set PODUP_HTTP_ADDR/);
    assert.deepEqual(
      supervisor.lines.map((line) => line['code']),
      ['SOCKET_UNAVAILABLE'],
    );
  });

  test('a faulty configuration is explained by check-config, and the exit code is 78', async (t) => {
    const supervisor = startSupervisor(t, ['exit-at-once.ts'], { PODUP_HTTP_ADDR: 'nowhere' });
    assert.equal((await supervisor.ended()).code, 78);
    await supervisor.silent;
    assert.deepEqual(supervisor.lines, [{ msg: 'fault printed' }]);
  });

  test('a socket of systemd is used in place of an own one, and not announced to the worker', async (t) => {
    const { BoundSocket } = await import('node:net');
    const given = new BoundSocket({ host: '127.0.0.1', port: 0 });
    t.after(() => given.close());
    const supervisor = startSupervisor(
      t,
      ['serve.ts'],
      { LISTEN_FDS: '1' },
      {
        stdio: ['ignore', 'pipe', 'pipe', given.fd()],
        wrap: ['sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh'],
      },
    );
    const serving = await supervisor.next('serving');
    assert.equal(serving['listenFds'], null);
    const response = await fetch(`http://127.0.0.1:${given.address().port}/`);
    assert.equal(await response.text(), String(serving['pid']));
  });
});

describe('supervise: the worker', { concurrency: 4 }, () => {
  test('leads a process group of its own, out of reach of a Ctrl-C in the terminal', async (t) => {
    const supervisor = startSupervisor(t, ['serve.ts']);
    const { pid } = await supervisor.next('serving');
    const [, , group] = afterName(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    assert.equal(group, String(pid));
  });

  test('ends when the supervisor is killed', async (t) => {
    const supervisor = startSupervisor(t, ['serve.ts']);
    await supervisor.next('worker ready');
    supervisor.child.kill('SIGKILL');
    // The worker holds stdout as well: silence means that it is gone too.
    await supervisor.silent;
  });

  test('cannot flood the supervisor with messages that are no notices', async (t) => {
    const supervisor = startSupervisor(t, ['flood-channel.ts']);
    await supervisor.next('worker ready');
    const counts = supervisor.lines
      .filter((line) => line.msg.startsWith('message of the worker thrown away'))
      .map((line) => line['count']);
    assert.deepEqual(counts, [1, 10, 100, 1000, 10_000]);
  });

  test('cannot bring the supervisor down with a message that is no JSON', async (t) => {
    const notice = '{"kind":"worker-ready","version":"7","schema":1}';
    const script = `echo 'no { JSON' >&4; echo '${notice}' >&4; exec sleep 600`;
    const supervisor = startSupervisor(t, ['--', 'sh', '-c', script], { PODUP_LOG_LEVEL: 'debug' });
    await supervisor.next('message of the worker thrown away: not a known notice');
    const said = await supervisor.next('worker said');
    assert.equal((said['notice'] as { version: string }).version, '7');
    supervisor.child.kill('SIGTERM');
    assert.equal((await supervisor.ended()).code, 0);
  });

  test('may be any command, finds the socket by PODUP_LISTEN_FD, and counts as ready once it lives', async (t) => {
    const script = 'echo "{\\"msg\\":\\"up\\",\\"fd\\":\\"$PODUP_LISTEN_FD\\"}"; exec sleep 600';
    const supervisor = startSupervisor(t, ['--', 'sh', '-c', script]);
    assert.equal((await supervisor.next('up'))['fd'], '3');
    const ready = await supervisor.next('worker ready');
    const started = supervisor.lines.find((line) => line.msg === 'worker started');
    const aliveMs = Date.parse(String(ready['time'])) - Date.parse(String(started?.['time']));
    assertWithin(aliveMs, 900, 5_000);
  });
});

/** The fields of /proc/PID/stat after the name, which may itself contain spaces: state, ppid, pgrp … proc(5). */
function afterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function assertWithin(value: unknown, min: number, max: number): void {
  assert.ok(
    typeof value === 'number' && value >= min && value <= max,
    `${value}: not ${min} to ${max}`,
  );
}
