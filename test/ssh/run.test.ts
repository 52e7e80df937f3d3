import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import type { Command, CommandEnd } from '../../shared/process/run-command.ts';
import { startHost } from '../helpers/ssh-client.ts';
import { until } from '../helpers/until.ts';

const LIMIT_MS = 30_000;
const { lab, host, close } = await startHost();
after(close);

function run(argv: [string, ...string[]], options: Partial<Command> = {}) {
  return host.run({ argv, timeoutMs: LIMIT_MS, ...options });
}

function sh(script: string, options: Partial<Command> = {}, ...words: string[]) {
  return run(['sh', '-c', script, 'sh', ...words], options);
}

const mark = () => `marked-${randomBytes(6).toString('hex')}`;

async function isRunning(word: string): Promise<boolean> {
  return (await lab.exec(`pgrep -f ${word}`)).code === 0;
}
const hasStarted = (word: string) => until(`${word} runs`, LIMIT_MS, () => isRunning(word));

describe('what a command says while it runs', () => {
  test('comes as it says it, without our marks', async () => {
    const heard = { stdout: '', stderr: '' };
    const word = mark();
    const script = `echo one; echo two >&2; until [ -e "/tmp/$1" ]; do :; done; printf three; printf four >&2`;
    const onOutput: Command['onOutput'] = (stream, chunk) => {
      heard[stream] += chunk;
    };
    const ended = sh(script, { onOutput }, word);
    await until(
      'its first words',
      LIMIT_MS,
      () => heard.stdout === 'one\n' && heard.stderr === 'two\n',
    );
    await lab.exec(`touch /tmp/${word}`);
    const { end, stderr } = await ended;
    assert.deepEqual(end, { kind: 'exited', code: 0 });
    assert.deepEqual(heard, { stdout: 'one\nthree', stderr: 'two\nfour' });
    assert.equal(stderr, heard.stderr);
  });
});

describe('how a command ends there', () => {
  const ROWS: readonly (readonly [title: string, script: string, end: CommandEnd])[] = [
    ...[0, 1, 3, 123, 124, 125, 126, 127, 128, 254, 255].map(
      (code) => [`with ${code}`, `exit ${code}`, { kind: 'exited', code }] as const,
    ),
    ['by SIGKILL', 'kill -KILL $$', { kind: 'signalled', signal: 'SIGKILL' }],
    ['by SIGTERM', 'kill -TERM $$', { kind: 'signalled', signal: 'SIGTERM' }],
    ['by SIGINT', 'kill -INT $$', { kind: 'signalled', signal: 'SIGINT' }],
    ['by SIGHUP', 'kill -HUP $$', { kind: 'signalled', signal: 'SIGHUP' }],
  ];
  for (const [title, script, end] of ROWS)
    test(title, async () => {
      const result = await sh(script);
      assert.deepEqual(result.end, end);
      assert.deepEqual([result.stdout, result.stderr], ['', '']);
      assert.deepEqual(result.argv, ['sh', '-c', script, 'sh']);
    });

  test('a program that is not there is not started', async () => {
    const result = await run(['no-such-program']);
    assert.deepEqual(result.end, { kind: 'not-started', reason: 'ENOENT' });
  });

  test('a file that is no program is not started', async () => {
    const result = await run(['/etc/passwd']);
    assert.deepEqual(result.end, { kind: 'not-started', reason: 'EACCES' });
  });

  test('with a process behind it that holds its streams', async () => {
    const word = mark();
    const result = await sh('sh -c "sleep 1000; :" "$1" & echo done', {}, word);
    assert.deepEqual(result.end, { kind: 'exited', code: 0 });
    assert.equal(result.stdout, 'done\n');
    assert.ok(result.durationMs < 10_000, `${result.durationMs} ms`);
    assert.ok(await isRunning(word), 'it is not ours to end, as on this machine');
    await lab.exec(`pkill -f ${word}`);
  });
});

describe('what a command says there', () => {
  test('comes as it is, each stream for itself', async () => {
    const result = await sh('printf "out\\n\\nä"; printf "err\\n  no newline" >&2; exit 3');
    assert.equal(result.stdout, 'out\n\nä');
    assert.equal(result.stderr, 'err\n  no newline');
  });

  test('may hold every byte', async () => {
    const script = 'i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %o $i)"; i=$((i+1)); done';
    const result = await run(['bash', '-c', `${script}; ${script} >&2`]);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString();
    assert.equal(result.stdout, bytes);
    assert.equal(result.stderr, bytes);
  });

  test('is kept up to the limit, with its beginning and its end', async () => {
    const script = 'echo first; head -c 3000000 /dev/zero | tr "\\0" x; echo last';
    const result = await sh(`{ ${script}; }; { ${script}; } >&2`, { maxOutputBytes: 10_000 });
    assert.deepEqual(result.end, { kind: 'exited', code: 0 });
    for (const text of [result.stdout, result.stderr]) {
      assert.match(text, /^first\nx+\n\[\.\.\. 2\d+ bytes left out \.\.\.\]\nx+last\n$/);
      assert.ok(text.length < 10_100, `${text.length}`);
    }
    assert.equal(result.stdoutDropped, 3_000_000 + 11 - 10_000);
    assert.ok(result.stderrDropped > 2_980_000);
  });
});

describe('what a command is given there', () => {
  const trap = `/tmp/podup-pwned-${randomBytes(4).toString('hex')}`;
  const HOSTILE = [
    `'; touch ${trap}; '`,
    `"; touch ${trap}; "`,
    `$(touch ${trap})`,
    `\`touch ${trap}\``,
    `\n touch ${trap}\n`,
    `\\'; touch ${trap} #`,
    `& touch ${trap} &`,
    '*',
    '/etc/*',
    '~',
    '!!',
    '%s %n $HOME $PATH',
    '-n',
    '--help',
    '--',
    '',
    '',
    ' ',
    '\t\r\n\x01\x7f\x1b[31m',
    '\\',
    '\\\\n',
    'ä€😀',
    'x'.repeat(100_000),
    '',
  ];

  test('its arguments, byte for byte, and nothing else runs', async () => {
    const result = await run(['/usr/bin/printf', '%s\\0', ...HOSTILE], { maxOutputBytes: 400_000 });
    assert.deepEqual(result.end, { kind: 'exited', code: 0 });
    assert.deepEqual(result.stdout.split('\0').slice(0, -1), HOSTILE);
    assert.equal(result.stderr, '');
    assert.equal((await lab.exec(`ls ${trap}`)).code, 2);
    assert.ok(!existsSync(trap));
  });

  test('a program whose name is hostile is a name', async () => {
    const result = await run([`$(touch ${trap})`]);
    assert.deepEqual(result.end, { kind: 'not-started', reason: 'ENOENT' });
    assert.equal((await lab.exec(`ls ${trap}`)).code, 2);
  });

  test('no argument with a NUL byte, and none that is too long', async () => {
    const nul = await run(['echo', 'a\0b']);
    assert.equal(nul.end.kind, 'not-started');
    const long = await run(['echo', 'x'.repeat(131_072)]);
    assert.deepEqual(long.end, { kind: 'not-started', reason: 'E2BIG' });
    const list = await run(['echo', ...Array.from({ length: 11 }, () => 'x'.repeat(100_000))]);
    assert.deepEqual(list.end, { kind: 'not-started', reason: 'E2BIG' });
    assert.equal((await run(['true', 'x'.repeat(131_071)])).end.kind, 'exited');
  });

  test('its input, and else an empty one', async () => {
    const input = `$(touch ${trap})\n'"\\ ä`;
    assert.equal((await run(['cat'], { input })).stdout, input);
    assert.equal((await run(['cat'], { input: '' })).stdout, '');
    assert.equal((await run(['cat'])).stdout, '');
    const big = 'y'.repeat(200_000);
    assert.equal((await run(['wc', '-c'], { input: big })).stdout, '200000\n');
    assert.deepEqual((await run(['true'], { input: big })).end, { kind: 'exited', code: 0 });
    assert.equal((await run(['cat'], { input: 'a\0b' })).end.kind, 'not-started');
  });

  test('what podman and systemctl of the user need', async () => {
    assert.equal((await run(['systemctl', '--user', 'is-system-running'])).stdout, 'running\n');
    assert.deepEqual((await run(['podman', 'ps'])).end, { kind: 'exited', code: 0 });
    const asked = await run(['curl', '--silent', 'http://127.0.0.1:5000/v2/']);
    assert.equal(asked.stdout, '{}');
    const script = 'echo "$LC_ALL $XDG_RUNTIME_DIR $DBUS_SESSION_BUS_ADDRESS"';
    const own = '/run/user/4242';
    assert.equal((await sh(script)).stdout, `C.UTF-8 ${own} unix:path=${own}/bus\n`);
    // Those that a shell ignores for what runs beside it.
    assert.match((await sh('grep SigIgn /proc/self/status')).stdout, /\t0+\n$/);
  });
});

describe('a command is ended there', () => {
  test('at its limit, with its whole group, each of which may end well', async () => {
    const word = mark();
    const member = 'trap "echo ended; exit" TERM; sleep 1000 & wait';
    const script = `trap : TERM; sh -c '${member}' "$1" & wait; wait; echo all`;
    const result = await sh(script, { timeoutMs: 1_000, killGraceMs: 20_000 }, word);
    assert.deepEqual(result.end, { kind: 'timed-out' });
    assert.equal(result.stdout, 'ended\nall\n');
    assert.ok(result.durationMs < 15_000, `${result.durationMs} ms`);
    assert.ok(!(await isRunning(word)));
  });

  test('with what does not heed SIGTERM in its group', async () => {
    const word = mark();
    const script = `sh -c 'trap "" TERM; while :; do sleep 1000; done' "$1" & wait`;
    const result = await sh(script, { timeoutMs: 1_000 }, word);
    assert.deepEqual(result.end, { kind: 'timed-out' });
    assert.ok(result.durationMs < 2_500, `${result.durationMs} ms`);
    assert.ok(!(await isRunning(word)));
  });

  test('by SIGKILL, where it does not heed SIGTERM', async () => {
    const word = mark();
    const script = 'trap "" TERM; echo on; while :; do sleep 1000; done';
    const result = await sh(script, { timeoutMs: 1_000, killGraceMs: 1_000 }, word);
    assert.deepEqual(result.end, { kind: 'timed-out' });
    assert.equal(result.stdout, 'on\n');
    assert.ok(!(await isRunning(word)));
  });

  test('when it is stopped', async () => {
    const word = mark();
    const stopper = new AbortController();
    const running = sh('sleep 1000; :', { signal: stopper.signal }, word);
    await hasStarted(word);
    stopper.abort();
    assert.deepEqual((await running).end, { kind: 'aborted' });
    assert.ok(!(await isRunning(word)));
  });

  test('before it begins, when it was stopped before', async () => {
    const word = `/tmp/podup-${mark()}`;
    const result = await run(['touch', word], { signal: AbortSignal.abort() });
    assert.deepEqual(result.end, { kind: 'aborted' });
    assert.equal((await lab.exec(`ls ${word}`)).code, 2);
  });
});

test('many commands at once share one connection', async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, (_, code) => sh('echo "$1"; exit "$1"', {}, String(code))),
  );
  assert.deepEqual(
    results.map(({ end, stdout }) => [end, stdout]),
    results.map((_, code) => [{ kind: 'exited', code }, `${code}\n`]),
  );
  assert.equal(lab.accepted, 1);
});
