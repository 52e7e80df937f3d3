import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inScope } from '../../../app/host/in-scope.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

async function asked(scope: 'user' | 'system', ...argv: [string, ...string[]]) {
  const commands = answerCommands(() => ({}));
  await inScope(commands.run, scope)({ argv, timeoutMs: 7 });
  assert.equal(commands.asked[0]?.timeoutMs, 7);
  return commands.asked[0]?.argv;
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
