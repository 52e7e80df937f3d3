import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { readMarks } from '../../../../app/host/ssh/read-marks.ts';
import { encodeRequest, REMOTE_COMMAND } from '../../../../app/host/ssh/remote-program.ts';

const NONCE = 'ab12';
const SHELLS = ['sh', 'bash'];

function encode(argv: readonly string[], input?: string): Buffer {
  const encoded = encodeRequest({
    ...{ nonce: NONCE, argv, input },
    ...{ timeoutMs: 1_500, killGraceMs: 1 },
  });
  assert.ok('bytes' in encoded);
  return encoded.bytes;
}

/** Runs the line as sshd does, by a login shell; its input stays open while it runs unless it is cut off. */
async function runLine(shell: string, bytes: Buffer, isCut = false) {
  const child = spawn(shell, ['-c', REMOTE_COMMAND], { stdio: 'pipe' });
  child.stdin.on('error', () => undefined).write(bytes);
  if (isCut) child.stdin.end();
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, ...readMarks(stderr, NONCE) };
}

test('the line is one that every login shell hands on as it is', () => {
  const [, program = ''] = /^exec bash -c '(.*)'$/s.exec(REMOTE_COMMAND) ?? [];
  assert.ok(program.length > 500);
  assert.doesNotMatch(program, /['\\\n\r]|![^ ]/);
});

test('a request is its head and its words, each with a NUL behind it', () => {
  const words = encode(['printf', '', 'ä\n'], 'in').toString().split('\0');
  assert.deepEqual(words, [NONCE, '12', '1', '3', '1', 'in', 'printf', '', 'ä\n', '']);
  assert.deepEqual(encode(['true']).toString().split('\0').slice(3, 6), ['1', '0', '']);
});

describe('a request is refused', () => {
  const request = { nonce: NONCE, timeoutMs: 1, killGraceMs: 1 };
  const ROWS: readonly (readonly [string, readonly string[], string | undefined, RegExp])[] = [
    ['with a NUL byte in a word', ['a', 'b\0c'], undefined, /^EINVAL: /],
    ['with a NUL byte in its input', ['a'], '\0', /^EINVAL: /],
    ['with a word that is too long', ['ä'.repeat(65_536)], undefined, /^E2BIG$/],
    ['with too many words', Array.from({ length: 600_000 }, () => 'x'), undefined, /^E2BIG$/],
  ];
  for (const [title, argv, input, why] of ROWS)
    test(title, () => {
      const encoded = encodeRequest({ ...request, argv, input });
      assert.match('refusal' in encoded ? encoded.refusal : '', why);
    });
});

for (const shell of SHELLS)
  describe(`the line, by ${shell}`, () => {
    test('runs the words as they are', async () => {
      const hostile = [`'; id; '`, '$(id)', '`id`', '\n', '*', '-n', '', '\\', 'ä', '!!', '%s'];
      const ran = await runLine(shell, encode(['printf', '%s|', ...hostile]));
      assert.equal(ran.stdout, `${hostile.join('|')}|`);
      assert.deepEqual(ran.end, { kind: 'exited', code: 0 });
    });

    test('runs no list that came in part', async () => {
      const whole = encode(['echo', 'a', 'b']);
      for (const length of [0, 1, 10, whole.length - 3, whole.length - 1]) {
        const ran = await runLine(shell, whole.subarray(0, length), true);
        assert.deepEqual(ran, { stdout: '', hasBegun: false, end: undefined, stderr: '' });
      }
    });

    test('gives the input, and ends what does not read it', async () => {
      assert.equal((await runLine(shell, encode(['cat'], 'in\n'))).stdout, 'in\n');
      const unread = await runLine(shell, encode(['true'], 'x'.repeat(200_000)));
      assert.deepEqual(unread.end, { kind: 'exited', code: 0 });
    });

    test('ends the command when its input ends', async () => {
      const ran = await runLine(shell, encode(['sleep', '1000']), true);
      assert.deepEqual(ran.end, { kind: 'signalled', signal: 'SIGTERM' });
    });
  });

test('the line ends a command at its limit by itself', async () => {
  const encoded = encodeRequest({
    ...{ nonce: NONCE, argv: ['sh', '-c', 'echo on; sleep 1000; echo off'] },
    // The margin is ten seconds.
    ...{ timeoutMs: -9_000, killGraceMs: 1 },
  });
  assert.ok('bytes' in encoded);
  const ran = await runLine('sh', encoded.bytes);
  assert.equal(ran.stdout, 'on\n');
  assert.deepEqual(ran.end, { kind: 'signalled', signal: 'SIGTERM' });
});
