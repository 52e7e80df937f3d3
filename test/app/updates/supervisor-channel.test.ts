import assert from 'node:assert/strict';
import { type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import type { SupervisorMessage } from '../../../shared/contract/worker-messages.ts';

const FIXTURE = join(import.meta.dirname, '../../fixtures/supervised.ts');

const STATUS = {
  change: 7,
  supervisor: { pid: 1, version: '1.0.0', slot: 'target' },
  unavailable: null,
  update: null,
} as const;

/** A process with its end of the channel; `printed` gives what it prints next. */
function startSupervised(context: TestContext, channel: 'ipc' | 'ignore' = 'ipc') {
  const stdio = ['ignore', 'pipe', 'inherit', channel] satisfies StdioOptions;
  const child = spawn(process.execPath, [FIXTURE], { stdio });
  context.after(() => child.kill('SIGKILL'));
  const { stdout } = child;
  assert.ok(stdout);
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return {
    child,
    exited: once(child, 'exit'),
    tell: (message: SupervisorMessage | object | string) => child.send(message),
    said: async () => (await once(child, 'message'))[0],
    printed: async () => JSON.parse((await lines.next()).value ?? 'null'),
  };
}

test('a process that was started without a channel has none', async (t) => {
  const { printed, exited } = startSupervised(t, 'ignore');
  assert.deepEqual(await printed(), ['no channel']);
  await exited;
});

test('commands, answers and states reach whoever listens, and what is said reaches the supervisor', async (t) => {
  const { tell, said, printed } = startSupervised(t);
  assert.deepEqual(await said(), { kind: 'worker-starting', step: 'migrating' });
  tell({ kind: 'update-status', status: STATUS });
  assert.deepEqual(await printed(), ['status', 7, 7]);
  tell({ kind: 'update-answer', answer: { id: 'a', txn: null, failure: null, status: null } });
  assert.deepEqual(await printed(), ['answer', 'a']);
  tell('listen');
  tell({ kind: 'pause' });
  const idle = said();
  assert.deepEqual(await printed(), ['command', 'pause']);
  assert.deepEqual(await idle, { kind: 'worker-idle' });
  tell({ kind: 'proceed' });
  assert.deepEqual(await printed(), ['command', 'proceed']);
});

test('the last command that came before anybody listened is told to the first who does', async (t) => {
  const { tell, printed } = startSupervised(t);
  tell({ kind: 'pause' });
  tell({ kind: 'proceed' });
  tell('listen');
  assert.deepEqual(await printed(), ['command', 'proceed']);
});

test('who has stopped listening is told nothing more', async (t) => {
  const { tell, printed } = startSupervised(t);
  const answer = (id: string) => ({ id, txn: null, failure: null, status: null });
  for (const id of ['last', 'late']) tell({ kind: 'update-answer', answer: answer(id) });
  tell({ kind: 'update-status', status: STATUS });
  assert.deepEqual(await printed(), ['answer', 'last']);
  assert.deepEqual(await printed(), ['status', 7, 7]);
});

test('what is no message of a supervisor is passed over', async (t) => {
  const { tell, printed } = startSupervised(t);
  tell('listen');
  for (const message of [
    'pause',
    { kind: 'restart' },
    { kind: 'update-status', status: { ...STATUS, change: -1 } },
    { kind: 'update-answer', answer: { id: '../x' } },
    [{ kind: 'pause' }],
  ]) {
    tell(message);
  }
  tell({ kind: 'update-status', status: STATUS });
  assert.deepEqual(await printed(), ['status', 7, 7]);
});

test('a supervisor that is gone is no failure for whoever still speaks to it', async (t) => {
  const { child, said, printed, exited } = startSupervised(t);
  await said();
  child.disconnect();
  assert.deepEqual(await printed(), ['disconnect']);
  assert.deepEqual(await exited, [0, null]);
});
