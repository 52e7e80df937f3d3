import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { beginTask, finish, startLive, TASK, write } from '../http/routes/live-fixture.ts';
import { startProgram } from './program.ts';

/** A service with a running task, and the command that follows it. */
async function start(context: TestContext) {
  const { folder, store } = await startLive(context);
  beginTask(store);
  write(store, 'one');
  const words = ['tasks', 'follow', TASK];
  const follow = (...more: string[]) =>
    startProgram(context, [...words, ...more], { PODUP_STATE_DIR: folder });
  return { store, follow };
}

describe('tasks follow', () => {
  test('prints the log as it is written, and ends as the task does', async (t) => {
    const { store, follow } = await start(t);
    const { child, ended } = follow();
    const heard = new Promise((resolve) => child.stdout?.once('data', resolve));
    assert.match(String(await heard), /^1970-.* info +test +one\n/);
    write(store, 'two');
    finish(store);
    const { code, stdout, stderr } = await ended;
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(
      lines.slice(0, 3).map((line) => line.split('  ').at(-1)),
      ['one', 'two', 'over'],
    );
    assert.match(lines[3] ?? '', new RegExp(`^Task ${TASK} succeeded: `));
  });

  test('for a program prints the task once it is over', async (t) => {
    const { store, follow } = await start(t);
    finish(store);
    const { code, stdout } = await follow('--json').ended;
    const { task_id: id, status, logs } = JSON.parse(stdout);
    assert.deepEqual([code, id, status, logs.length], [EXIT.ok, TASK, 'succeeded', 2]);
  });

  test('that is left leaves the task', async (t) => {
    const { follow } = await start(t);
    const { child, ended } = follow();
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    assert.equal(code, EXIT.failure);
    assert.equal(stderr, `Task ${TASK} goes on without being watched.\n`);
  });

  test('of no task says so', async (t) => {
    const { follow } = await start(t);
    const { ended } = follow('--bogus');
    assert.equal((await ended).code, EXIT.usage);
  });
});
