import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type HelperCommand, runHelper } from '../../../supervisor/acts/run-helper.ts';
import { hasEnded } from '../../helpers/processes.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { until } from '../../helpers/until.ts';

const PATH = process.env['PATH'];
const NEVER = new AbortController().signal;

/** Runs a shell script as a helper; its first argument, which messages name, is `-c`. */
function runShell(script: string, over: Partial<HelperCommand> = {}) {
  return run({ file: 'sh', args: ['-c', script], ...over });
}

/** Runs a helper; `values` are those that it was heard to say. */
async function run(over: Pick<HelperCommand, 'file' | 'args'> & Partial<HelperCommand>) {
  const values: unknown[] = [];
  const end = await runHelper({
    environment: { PATH },
    timeoutMs: 20_000,
    signal: NEVER,
    onValue: (value) => values.push(value),
    ...over,
  });
  return { end, values };
}

const failed = (detail: string) => ({ ok: false, detail });

describe('runHelper: what it says', { concurrency: true }, () => {
  test('each JSON value is told, noise is not, and the last value is the result', async () => {
    const script = `echo '{"n":1}'; echo noise; echo; echo '{"n":2}'`;
    assert.deepEqual(await runShell(script), {
      end: { ok: true, value: { n: 2 } },
      values: [{ n: 1 }, { n: 2 }],
    });
  });

  test('the last value needs no end of line', async () => {
    assert.deepEqual((await runShell('echo 1; printf 2')).end, { ok: true, value: 2 });
  });

  test('a value may hold the line separators of Unicode, which JSON leaves as they are', async () => {
    const value = { detail: 'a\u2028b\u2029c\rd' };
    const { end } = await run({ file: 'printf', args: ['%s\\n', JSON.stringify(value)] });
    assert.deepEqual(end, { ok: true, value });
  });

  test('a line of more than 64 KiB is passed over, and one of just that is not', async () => {
    const line = (length: number) => `head -c ${length - 2} /dev/zero | tr '\\0' x`;
    const say = (length: number) => `printf '"'; ${line(length)}; echo '"'`;
    const { values } = await runShell(`${say(65_536)}; ${say(65_537)}; echo 7`);
    assert.deepEqual(
      values.map((value) => String(value).length),
      [65_534, 1],
    );
  });

  test('it is given the environment that was named, and nothing else', async () => {
    const environment = { PATH, WORD: 'told' };
    const script = `printf '["%s","%s"]' "$WORD" "$HOME"`;
    assert.deepEqual((await runShell(script, { environment })).end, {
      ok: true,
      value: ['told', ''],
    });
  });

  test('it is given its input, and reads nothing of ours where there is none', async () => {
    const input = 'x'.repeat(1_000_000);
    assert.deepEqual((await runShell('wc -c', { input })).end, { ok: true, value: 1_000_000 });
    assert.deepEqual((await runShell('wc -c')).end, { ok: true, value: 0 });
  });

  test('one that does not read an input larger than a pipe is judged by its end', async () => {
    const input = 'x'.repeat(1_000_000);
    assert.deepEqual((await runShell('echo 7', { input })).end, { ok: true, value: 7 });
    const { end } = await runShell('exec <&-; echo no >&2; exit 3', { input });
    assert.deepEqual(end, failed('-c ended with 3: no.'));
  });
});

describe('runHelper: how it ends', { concurrency: true }, () => {
  const ROWS = [
    ['nothing said is a failure', 'true', '-c ended with 0.'],
    ['what was said does not count with an exit code', 'echo 7; exit 1', '-c ended with 1.'],
    ['its last words are told', 'echo one >&2; echo two >&2; exit 3', '-c ended with 3: two.'],
    ['a signal is named', 'kill -9 $$', '-c ended with SIGKILL.'],
  ] as const;
  for (const [title, script, detail] of ROWS) {
    test(title, async () => {
      assert.deepEqual((await runShell(script)).end, failed(detail));
    });
  }

  test('of an error that nobody caught the error is told, not the version of Node', async () => {
    const args = ['-e', 'throw new RangeError("broken on purpose")'];
    const { end } = await run({ file: process.execPath, args });
    assert.deepEqual(end, failed('-e ended with 1: RangeError: broken on purpose.'));
  });

  test('a program that is missing, that may not be run, or that is given too much is a failure', async (t) => {
    const folder = makeTempFolder(t);
    const plain = join(folder, 'plain');
    writeFileSync(plain, '#!/bin/sh\n', { mode: 0o644 });
    for (const [file, words, reason] of [
      [join(folder, 'missing'), ['db-inspect'], 'ENOENT'],
      [plain, ['db-inspect'], 'EACCES'],
      [join(plain, 'in'), ['db-inspect'], 'ENOTDIR'],
      ['true', ['db-inspect', 'x'.repeat(5_000_000)], 'E2BIG'],
    ] as const) {
      const { end } = await run({ file, args: words, input: 'x' });
      assert.ok(!end.ok);
      assert.match(end.detail, new RegExp(`^db-inspect .*${reason}`));
    }
  });
});

describe('runHelper: what ends it', { concurrency: true }, () => {
  test('at the time limit its whole group is killed', async () => {
    const script = `trap '' TERM; sleep 600 & echo $!; wait`;
    const startedAtMs = performance.now();
    const { end, values } = await runShell(script, { timeoutMs: 500 });
    // Not two seconds later: it has had its time.
    assert.ok(performance.now() - startedAtMs < 2_400);
    assert.deepEqual(end, failed('-c did not end within 500 ms.'));
    await until('the end of what it had started', 5_000, () => hasEnded(Number(values[0])));
  });

  test('one that is cancelled may end by itself', async () => {
    const control = new AbortController();
    const values: unknown[] = [];
    const script = `trap 'echo 2; exit 0' TERM; sleep 600 & echo 1; wait`;
    const { end } = await runShell(script, {
      signal: control.signal,
      onValue: (value) => {
        values.push(value);
        control.abort();
      },
    });
    assert.deepEqual(end, failed('It was cancelled.'));
    assert.deepEqual(values, [1, 2]);
  });

  test('one that ignores being cancelled is killed two seconds later, with its group', async () => {
    const control = new AbortController();
    const pids: number[] = [];
    let cancelledAtMs = 0;
    await runShell(`trap '' TERM; sleep 600 & echo $!; echo $$; wait`, {
      signal: control.signal,
      onValue: (value) => {
        if (pids.push(Number(value)) < 2) return;
        cancelledAtMs = performance.now();
        control.abort();
      },
    });
    const tookMs = performance.now() - cancelledAtMs;
    assert.ok(tookMs > 1_900 && tookMs < 10_000, `${tookMs} ms`);
    for (const pid of pids) await until(`the end of ${pid}`, 5_000, () => hasEnded(pid));
  });

  test('what it had started ends with it, also where it does not listen', async () => {
    const control = new AbortController();
    const pids: number[] = [];
    const child = `trap "" TERM; echo $$; exec sleep 600`;
    const { end } = await runShell(`trap 'exit 0' TERM; sh -c '${child}' & wait`, {
      signal: control.signal,
      onValue: (value) => {
        pids.push(Number(value));
        control.abort();
      },
    });
    assert.deepEqual(end, failed('It was cancelled.'));
    await until('the end of the child', 5_000, () => hasEnded(pids[0] ?? 0));
  });

  test('one that was cancelled before is not started', async () => {
    const { end } = await run({ file: '/nonexistent', args: [], signal: AbortSignal.abort() });
    assert.deepEqual(end, failed('It was cancelled.'));
  });

  test('a grandchild that keeps the pipes open holds its end up for two seconds only', async (t) => {
    // Longer than the limit: that was for the helper, and the helper has ended.
    const { end } = await runShell('sleep 600 & echo $!', { timeoutMs: 1_000 });
    assert.ok(end.ok, JSON.stringify(end));
    const grandchild = Number(end.value);
    t.after(() => process.kill(grandchild, 'SIGKILL'));
    assert.equal(hasEnded(grandchild), false);
  });
});
