import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFile } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { TaskLogRow } from '../../../app/db/task-logs.ts';
import { recordCommand } from '../../../app/tasks/record-command.ts';
import { maskSecrets } from '../../../shared/log/mask-secrets.ts';
import { type Command, runCommand } from '../../../shared/process/run-command.ts';

const mask = maskSecrets(['correct horse']);

async function record(command: Omit<Command, 'timeoutMs'>, timeoutMs = 10_000) {
  const entries: Omit<TaskLogRow, 'id' | 'task_id'>[] = [];
  const log = {
    append: (entry: (typeof entries)[number]) => entries.push(entry),
    attempt: 7,
    mask,
  };
  const result = await recordCommand(runCommand, log)({ ...command, timeoutMs });
  const [entry] = entries;
  assert.ok(entry);
  assert.equal(entries.length, 1);
  return { result, entry, meta: JSON.parse(entry.meta ?? 'null') };
}

type Row = Omit<TaskLogRow, 'id' | 'task_id'>;

/** Runs a command that takes its time; `onEntry` sees each entry when it is written. */
async function watch(command: Omit<Command, 'timeoutMs'>, onEntry: (entry: Row) => void) {
  const entries: Row[] = [];
  const append = (entry: Row) => {
    entries.push(entry);
    onEntry(entry);
  };
  const result = await recordCommand(runCommand, { append, attempt: 7, mask })({
    ...command,
    timeoutMs: 20_000,
  });
  const metas = entries.map(({ action, meta }) => ({ action, ...JSON.parse(meta ?? 'null') }));
  return { result, metas };
}

const textOf = (metas: readonly { parts?: { stream: string; text: string }[] }[], stream: string) =>
  metas
    .flatMap(({ parts = [] }) => parts)
    .filter((part) => part.stream === stream)
    .map(({ text }) => text)
    .join('');

describe('record a command that takes its time', () => {
  test('what it says is there before it ends, in the order in which it came', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'podup record '));
    t.after(() => rmSync(folder, { recursive: true }));
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    let hasAnswered = false;
    const script = `echo one; echo two >&2; read -r word < "$0"; echo "$word"; printf rest`;
    const { metas, result } = await watch({ argv: ['sh', '-c', script, fifo] }, ({ action }) => {
      // It goes on only because somebody has seen what it said.
      if (action === 'command-output' && !hasAnswered) writeFile(fifo, 'three\n', () => undefined);
      hasAnswered ||= action === 'command-output';
    });
    assert.equal(result.stdout, 'one\nthree\nrest');
    assert.deepEqual(
      [metas[0]?.action, metas[0]?.argv, metas.at(-1)?.action],
      ['command-started', ['sh', '-c', script, fifo], 'command'],
    );
    assert.equal(new Set(metas.map(({ command }) => command)).size, 1);
    assert.match(metas[0]?.command, /^7-1$/);
    assert.equal(textOf(metas, 'stdout'), 'one\nthree\nrest');
    assert.equal(textOf(metas, 'stderr'), 'two\n');
    assert.equal(metas.at(-1)?.stdout, 'one\nthree\nrest');
  });

  test('a megabyte is shown; then it is said that there is more, once', async () => {
    const script =
      'sleep 0.6; for i in 1 2 3; do head -c 600000 /dev/zero | tr "\\0" x; done; echo end';
    const { metas } = await watch({ argv: ['sh', '-c', script] }, () => undefined);
    assert.equal(textOf(metas, 'stdout').length, 1_048_576);
    assert.deepEqual(metas.filter(({ truncated }) => truncated).length, 1);
    assert.equal(metas.at(-1)?.stdout_truncated, true);
  });

  for (const kind of ['isPrivate', 'isRoutine', 'hidesArguments'] as const) {
    test(`of one that ${kind} nothing is shown while it runs`, async () => {
      const { metas } = await watch(
        { argv: ['sh', '-c', 'echo hidden; sleep 0.8; exit 1'], [kind]: true },
        () => undefined,
      );
      assert.deepEqual(
        metas.map(({ action }) => action),
        ['command'],
      );
    });
  }

  test('secrets are hidden there, by their value and by their key', async () => {
    const { metas } = await watch(
      {
        argv: [
          'sh',
          '-c',
          'echo it is correct horse; echo password=staple; sleep 0.8',
          'correct horse',
        ],
      },
      () => undefined,
    );
    assert.ok(metas.some(({ action }) => action === 'command-output'));
    assert.equal(textOf(metas, 'stdout'), 'it is [redacted]\npassword=[masked]\n');
    assert.ok(!JSON.stringify(metas).includes('correct horse'));
    assert.ok(!JSON.stringify(metas).includes('staple'));
  });
});

describe('a log that cannot be written', () => {
  test('while a command runs does not end it; at its end the caller hears of it', async () => {
    const append = () => {
      throw new Error('the database is busy');
    };
    const run = recordCommand(runCommand, { append, attempt: 7, mask });
    const argv = ['sh', '-c', 'sleep 0.7; echo done'] as const;
    await assert.rejects(run({ argv: [...argv], timeoutMs: 20_000 }), /busy/);
  });
});

describe('record command', () => {
  test('a command that went well is one entry with argument list, end and output', async () => {
    const argv = ['sh', '-c', 'echo out; echo err >&2', 'third'] as const;
    const { entry, meta, result } = await record({ argv });
    const { duration_ms, ...rest } = meta;
    assert.deepEqual(rest, {
      argv,
      kind: 'exited',
      code: 0,
      stdout: 'out\n',
      stderr: 'err\n',
      stdout_truncated: false,
      stderr_truncated: false,
    });
    assert.deepEqual([entry.level, entry.action], ['info', 'command']);
    assert.equal(entry.summary, 'sh -c echo out; echo err >&2');
    assert.equal(duration_ms, result.durationMs);
  });

  for (const [title, argv, timeoutMs, end, summary] of [
    [
      'that fails',
      ['sh', '-c', 'echo why >&2; exit 3'],
      10_000,
      { kind: 'exited', code: 3 },
      /exited with 3: why\.$/,
    ],
    [
      'that takes too long',
      ['sleep', '60'],
      10,
      { kind: 'timed-out' },
      /did not end within its limit/,
    ],
    [
      'that is not there',
      ['/nonexistent'],
      10_000,
      { kind: 'not-started', reason: 'ENOENT' },
      /could not be started \(ENOENT\)/,
    ],
  ] as const) {
    test(`a command ${title} is a warning that says how it ended`, async () => {
      const { entry, meta } = await record({ argv }, timeoutMs);
      assert.equal(entry.level, 'warning');
      assert.match(entry.summary, summary);
      for (const [name, value] of Object.entries(end)) assert.equal(meta[name], value);
    });
  }

  test('of a long output the entry keeps 32768 characters and says so; the caller gets all', async () => {
    const argv = ['sh', '-c', 'head -c 40000 /dev/zero | tr "\\0" x; echo short >&2'] as const;
    const { meta, result } = await record({ argv, maxOutputBytes: 100_000 });
    assert.equal(result.stdout.length, 40_000);
    assert.equal(meta.stdout, 'x'.repeat(32_768));
    assert.deepEqual(
      [meta.stdout_truncated, meta.stderr_truncated, meta.stderr],
      [true, false, 'short\n'],
    );
  });

  test('a secret that lies across the limit is hidden whole', async () => {
    const argv = ['sh', '-c', 'head -c 32760 /dev/zero | tr "\\0" x; echo correct horse'] as const;
    const { meta } = await record({ argv, maxOutputBytes: 100_000 });
    assert.ok(!meta.stdout.includes('correct'), meta.stdout.slice(-30));
  });

  for (const stream of ['stdout', 'stderr'] as const) {
    test(`what the runner itself dropped of ${stream} is said too`, async () => {
      const redirect = stream === 'stderr' ? '>&2' : '';
      const argv = ['sh', '-c', `head -c 5000 /dev/zero | tr "\\0" x ${redirect}`] as const;
      const { meta } = await record({ argv, maxOutputBytes: 1000 });
      assert.equal(meta[`${stream}_truncated`], true);
      assert.ok(meta[stream].length < 1100);
    });
  }

  test('output that may hold secrets of others is left out, and the entry says so', async () => {
    const { result, meta, entry } = await record({
      argv: ['sh', '-c', 'echo PASSWORD=hunter2'],
      isPrivate: true,
    });
    assert.equal(result.stdout, 'PASSWORD=hunter2\n');
    assert.deepEqual([meta.stdout_withheld, meta.stdout], [true, undefined]);
    assert.ok(!JSON.stringify(entry.meta).includes('hunter2\\n'));
  });

  test('variables of a start command that is shown lose their values', async () => {
    const { meta } = await record({ argv: ['echo', 'podman run -e PASSWORD=hunter2 web'] });
    assert.equal(meta.stdout, 'podman run -e PASSWORD=[masked] web\n');
  });

  test('one that is repeated all the time is an entry only where it fails', async () => {
    const entries: string[] = [];
    const append = ({ summary }: { summary: string }) => entries.push(summary);
    const run = recordCommand(runCommand, { append, attempt: 7, mask });
    const timeoutMs = 10_000;
    await run({ argv: ['true'], timeoutMs, isRoutine: true });
    await run({ argv: ['false'], timeoutMs, isRoutine: true });
    assert.deepEqual(entries, ['false exited with 1.']);
  });
});
