import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHostRunner } from '../../../app/host/host-runner.ts';
import type { Command, RunCommand } from '../../../shared/process/run-command.ts';

async function asked(systemdScope: 'user' | 'system', ...argv: [string, ...string[]]) {
  const commands: Command[] = [];
  const run: RunCommand = ({ argv: given, ...rest }) => {
    commands.push({ argv: given, ...rest });
    const end = { kind: 'exited', code: 0 } as const;
    const none = { stdout: '', stderr: '', stdoutDropped: 0, stderrDropped: 0 };
    return Promise.resolve({ argv: given, end, durationMs: 0, ...none });
  };
  await createHostRunner({ systemdScope }, run)({ argv, timeoutMs: 7 });
  assert.equal(commands[0]?.timeoutMs, 7);
  return commands[0]?.argv;
}

test('the manager of the user is asked as the command says', async () => {
  const argv = ['systemctl', '--user', 'show', '--', '--user'] as const;
  assert.deepEqual(await asked('user', ...argv), argv);
});

test('the manager of the system is asked in its place, and names are left alone', async () => {
  const argv = await asked('system', 'systemctl', '--user', 'show', '--', '--user');
  assert.deepEqual(argv, ['systemctl', '--system', 'show', '--', '--user']);
  assert.deepEqual(await asked('system', 'podman', 'ps', '--user'), ['podman', 'ps', '--user']);
});
