import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import {
  type CommandEnd,
  type CommandResult,
  formatEnd,
  isSuccess,
  runCommand,
} from '../../../shared/process/run-command.ts';
import { findProcesses, ignoresTerm } from '../../helpers/processes.ts';
import { until } from '../../helpers/until.ts';

const LIMIT_MS = 30_000;

function sh(script: string, options: Partial<Parameters<typeof runCommand>[0]> = {}) {
  return runCommand({ argv: ['sh', '-c', script], timeoutMs: LIMIT_MS, ...options });
}

/** A word to find processes of one test by, and their end whatever happens. */
function mark(context: TestContext): string {
  const word = `marked-${randomBytes(6).toString('hex')}`;
  context.after(() => {
    for (const pid of findProcesses(word)) process.kill(pid, 'SIGKILL');
  });
  return word;
}

describe('how a command ends', () => {
  const ROWS: readonly (readonly [title: string, script: string, end: CommandEnd])[] = [
    ['well', 'exit 0', { kind: 'exited', code: 0 }],
    ['with a code', 'exit 37', { kind: 'exited', code: 37 }],
    ['by a signal', 'kill -9 $$', { kind: 'signalled', signal: 'SIGKILL' }],
  ];
  for (const [title, script, end] of ROWS)
    test(title, async () => {
      const result = await sh(script);
      assert.deepEqual(result.end, end);
      assert.equal(isSuccess(result), title === 'well');
    });

  const NOT_STARTED: readonly (readonly [title: string, argv: [string, ...string[]], string])[] = [
    ['a program that is not there', ['/nowhere/no-such-program'], 'ENOENT'],
    ['a file that is no program', ['/etc/passwd'], 'EACCES'],
    ['an argument list that is too long', ['true', 'x'.repeat(3_000_000)], 'E2BIG'],
  ];
  for (const [title, argv, reason] of NOT_STARTED)
    test(`${title} is not started: ${reason}`, async () => {
      const result = await runCommand({ argv, timeoutMs: LIMIT_MS });
      assert.deepEqual(result.end, { kind: 'not-started', reason });
      assert.deepEqual([result.stdout, result.stderr], ['', '']);
      assert.ok(!isSuccess(result));
    });

  test('one that cannot be started and was stopped before is only stopped', async () => {
    const result = await runCommand({
      argv: ['true', 'x'.repeat(3_000_000)],
      timeoutMs: LIMIT_MS,
      signal: AbortSignal.abort(),
    });
    assert.deepEqual(result.end, { kind: 'aborted' });
  });
});

describe('what a command is given', () => {
  test('its arguments as they are, never through a shell', async () => {
    const argv: [string, ...string[]] = ['printf', '%s|', '$HOME', '*', '; id', 'ä b', ''];
    const result = await runCommand({ argv, timeoutMs: LIMIT_MS });
    assert.equal(result.stdout, '$HOME|*|; id|ä b||');
    assert.deepEqual(result.argv, argv);
  });

  test('no standard input', async () => {
    assert.equal((await runCommand({ argv: ['cat'], timeoutMs: LIMIT_MS })).stdout, '');
  });

  test('the text for its standard input', async () => {
    const input = 'zwölf\n'.repeat(10);
    assert.equal((await runCommand({ argv: ['cat'], timeoutMs: LIMIT_MS, input })).stdout, input);
  });

  test('text for a standard input that it does not read is no failure', async () => {
    const result = await sh('exec <&-; exit 0', { input: 'x'.repeat(5_000_000) });
    assert.deepEqual(result.end, { kind: 'exited', code: 0 });
  });

  test('the environment of this process without its secrets', async (t) => {
    const { PODUP_TOKEN: before } = process.env;
    process.env['PODUP_TOKEN'] = 'zgeheim-token';
    process.env['PODUP_LOG_LEVEL'] = 'info';
    t.after(() => {
      delete process.env['PODUP_LOG_LEVEL'];
      if (before === undefined) delete process.env['PODUP_TOKEN'];
      else process.env['PODUP_TOKEN'] = before;
    });
    const { stdout } = await runCommand({ argv: ['env'], timeoutMs: LIMIT_MS });
    assert.match(stdout, /^PODUP_LOG_LEVEL=info$/m);
    assert.doesNotMatch(stdout, /TOKEN|zgeheim/);
  });

  test('exactly the environment that was named', async () => {
    const environment = { PATH: process.env['PATH'], ONLY: 'this' };
    const result = await runCommand({ argv: ['env'], timeoutMs: LIMIT_MS, environment });
    // Node itself hands this one on while coverage is measured.
    const names = result.stdout.split('\n').filter((line) => !line.startsWith('NODE_V8_COVERAGE='));
    assert.deepEqual(names.sort(), ['', 'ONLY=this', `PATH=${environment.PATH}`]);
  });

  test('its own process group', async () => {
    const { stdout } = await sh('cut -d" " -f1,5 /proc/self/stat; echo $$');
    const [, group, shell] = stdout.split(/\s/);
    assert.equal(group, shell);
  });
});

describe('what a command says', () => {
  test('both streams are kept apart, with their last line feed', async () => {
    const result = await sh('echo out; echo err >&2');
    assert.deepEqual([result.stdout, result.stderr], ['out\n', 'err\n']);
  });

  test('a character across many writes is whole', async () => {
    const result = await sh(
      String.raw`for byte in 342 202 254; do printf "\\$byte"; sleep 0.01; done`,
      { maxOutputBytes: 4 },
    );
    assert.equal(result.stdout, '€');
  });

  test('each stream is cut on its own, and read to its end all the same', async () => {
    const result = await sh('seq 1 200000; echo fine >&2', { maxOutputBytes: 40 });
    assert.match(
      result.stdout,
      /^1\n2\n3\n.*\n\[\.\.\. 1288855 bytes left out \.\.\.\]\n.*200000\n$/s,
    );
    assert.equal(result.stdoutDropped, 1_288_895 - 40);
    assert.deepEqual([result.stderr, result.stderrDropped], ['fine\n', 0]);
  });

  test('32 KiB are kept where no limit is named', async () => {
    const result = await sh('head -c 40000 /dev/zero | tr "\\0" x');
    assert.equal(result.stdoutDropped, 40_000 - 32_768);
  });
});

describe('a limit', () => {
  test('ends the command with everything that it started', async (t) => {
    const word = mark(t);
    const script = `sh -c 'sleep 60; : ${word}' & sh -c 'sleep 60; : ${word}' & echo; wait`;
    const running = sh(script, { timeoutMs: 2000 });
    await until('three processes', LIMIT_MS, () => findProcesses(word).length >= 3);
    const result = await running;
    assert.deepEqual(result.end, { kind: 'timed-out' });
    assert.ok(result.durationMs >= 2000 && result.durationMs < LIMIT_MS, `${result.durationMs}`);
    await until('their end', LIMIT_MS, () => findProcesses(word).length === 0);
  });

  test('kills what ignores the request to end', async (t) => {
    const word = mark(t);
    const script = `trap '' TERM; : ${word}; while :; do sleep 60; done`;
    const result = await sh(script, { timeoutMs: 500 });
    assert.deepEqual(result.end, { kind: 'timed-out' });
    await until('their end', LIMIT_MS, () => findProcesses(word).length === 0);
  });

  test('kills what ignores the request although the command itself obeyed it', async (t) => {
    const word = mark(t);
    const child = `trap '' TERM; : ${word}; echo ready; exec >&- 2>&-; while :; do sleep 60; done`;
    const { signal, stop } = stopper();
    const running = sh(`sh -c "${child}" & wait`, { signal });
    await until('both processes', LIMIT_MS, () => findProcesses(word).some(ignoresTerm));
    stop();
    assert.deepEqual((await running).end, { kind: 'aborted' });
    await until('their end', LIMIT_MS, () => findProcesses(word).length === 0);
  });

  test('does not count as the reason when the command had come to its own end before', async (t) => {
    const word = mark(t);
    const result = await sh(`echo said; sh -c 'sleep 60; : ${word}' & exit 3`, { timeoutMs: 900 });
    assert.deepEqual(result.end, { kind: 'exited', code: 3 });
    assert.equal(result.stdout, 'said\n');
    assert.ok(result.durationMs < 10_000, 'waited for the one that holds the pipe');
    assert.equal(findProcesses(word).length, 1, 'what a command leaves behind on purpose lives on');
  });

  test('that a clean end follows is still the reason', async () => {
    const script = "trap 'exit 0' TERM; echo; while :; do sleep 0.05; done";
    const result = await sh(script, { timeoutMs: 300 });
    assert.deepEqual(result.end, { kind: 'timed-out' });
  });
});

describe('an abort', () => {
  test('ends the command with everything that it started', async (t) => {
    const word = mark(t);
    const { signal, stop } = stopper();
    const running = sh(`sh -c 'sleep 60; : ${word}' & wait`, { signal });
    await until('both processes', LIMIT_MS, () => findProcesses(word).length >= 2);
    stop();
    assert.deepEqual((await running).end, { kind: 'aborted' });
    await until('their end', LIMIT_MS, () => findProcesses(word).length === 0);
  });

  test('before the start ends it at once', async () => {
    const result = await sh('sleep 60', { signal: AbortSignal.abort() });
    assert.deepEqual(result.end, { kind: 'aborted' });
  });

  test('after the end changes nothing', async () => {
    const { signal, stop } = stopper();
    const result = await sh('exit 0', { signal });
    stop();
    assert.deepEqual(result.end, { kind: 'exited', code: 0 });
  });
});

describe('who sees it start', () => {
  test('writes to its input for as long as it runs', async () => {
    const result = await sh('read a; echo "got $a"; read b; echo "got $b"; cat', {
      onStart: ({ stdin, stdout }) => {
        stdin?.write('one\n');
        // Only when the first has been read, so the input has stayed open.
        stdout?.once('data', () => stdin?.end('two\nthree'));
      },
    });
    assert.deepEqual(result.end, { kind: 'exited', code: 0 });
    assert.equal(result.stdout, 'got one\ngot two\nthree');
  });

  test('need not end its input', async () => {
    const result = await sh('exit 4', { onStart: () => undefined });
    assert.deepEqual(result.end, { kind: 'exited', code: 4 });
  });

  test('sees nothing of one that cannot be started', async () => {
    const seen: unknown[] = [];
    const result = await runCommand({
      argv: ['/nowhere/no-such-program'],
      timeoutMs: LIMIT_MS,
      onStart: (process) => seen.push(process),
    });
    assert.deepEqual(result.end, { kind: 'not-started', reason: 'ENOENT' });
    assert.deepEqual(seen, []);
  });
});

describe('formatEnd', () => {
  const ROWS: readonly (readonly [end: CommandEnd, stderr: string, text: string])[] = [
    [{ kind: 'exited', code: 5 }, 'one\ntwo\n', 'podman pull -q exited with 5: two.'],
    [{ kind: 'exited', code: 5 }, ' \n', 'podman pull -q exited with 5.'],
    [{ kind: 'signalled', signal: 'SIGHUP' }, '', 'podman pull -q was ended by SIGHUP.'],
    [{ kind: 'timed-out' }, '', 'podman pull -q did not end within its limit (ran 12 ms).'],
    [{ kind: 'aborted' }, '', 'podman pull -q was stopped.'],
    [
      { kind: 'not-started', reason: 'ENOENT' },
      '',
      'podman pull -q could not be started (ENOENT).',
    ],
    [
      { kind: 'connection-lost', reason: 'host' },
      'one\n',
      'podman pull -q may or may not have come to its end, for the connection was lost (host): one.',
    ],
    [
      { kind: 'exited', code: 1 },
      'x'.repeat(900),
      `podman pull -q exited with 1: ${'x'.repeat(500)}.`,
    ],
  ];
  for (const [end, stderr, text] of ROWS)
    test(text.slice(0, 70), () => {
      const result: CommandResult = {
        argv: ['podman', 'pull', '-q', 'an-image'],
        end,
        durationMs: 12,
        stdout: 'not this',
        stderr,
        stdoutDropped: 0,
        stderrDropped: 0,
      };
      assert.equal(formatEnd(result), text);
    });
});

function stopper() {
  const controller = new AbortController();
  return { signal: controller.signal, stop: () => controller.abort() };
}
