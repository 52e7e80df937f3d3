import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TaskLogRow } from '../../../app/db/task-logs.ts';
import { recordCommand } from '../../../app/tasks/record-command.ts';
import { type Command, runCommand } from '../../../shared/process/run-command.ts';

async function record(command: Omit<Command, 'timeoutMs'>, timeoutMs = 10_000) {
  const entries: Omit<TaskLogRow, 'id' | 'task_id'>[] = [];
  const result = await recordCommand(runCommand, (entry) => entries.push(entry))({
    ...command,
    timeoutMs,
  });
  const [entry] = entries;
  assert.ok(entry);
  assert.equal(entries.length, 1);
  return { result, entry, meta: JSON.parse(entry.meta ?? 'null') };
}

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
    const run = recordCommand(runCommand, ({ summary }) => entries.push(summary));
    const timeoutMs = 10_000;
    await run({ argv: ['true'], timeoutMs, isRoutine: true });
    await run({ argv: ['false'], timeoutMs, isRoutine: true });
    assert.deepEqual(entries, ['false exited with 1.']);
  });
});
