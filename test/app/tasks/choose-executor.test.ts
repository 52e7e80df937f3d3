import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createExecutorChoice } from '../../../app/tasks/choose-executor.ts';
import type { TaskExecutor } from '../../../app/tasks/task-executor.ts';
import { answerCommands } from './task-fixture.ts';

function executor(kind: TaskExecutor['kind']): TaskExecutor {
  return {
    kind,
    start: () => Promise.resolve(''),
    adopt: () => Promise.resolve({ kind: 'gone' as const }),
    wake: () => Promise.resolve(),
    kill: () => Promise.resolve({ ok: true, value: undefined }),
    close: () => {},
  };
}

const EXECUTORS = { systemdRun: executor('systemd-run'), child: executor('child') };

describe('executor choice', () => {
  for (const setting of ['systemd-run', 'child'] as const) {
    test(`${setting} is taken where it is set, and nobody is asked`, async () => {
      const { run, asked } = answerCommands(() => ({ stdout: 'running\n' }));
      assert.equal((await createExecutorChoice(setting, EXECUTORS, run)()).kind, setting);
      assert.deepEqual(asked, []);
    });
  }

  test('auto takes the child until a user manager is seen, and then asks no more', async () => {
    const states = ['', 'offline\n', 'stopping\n', 'degraded\n'];
    const { run, asked } = answerCommands(() => ({ stdout: states.shift() ?? '' }));
    const choose = createExecutorChoice('auto', EXECUTORS, run);
    const kinds: string[] = [];
    for (let turn = 0; turn < 6; turn++) kinds.push((await choose()).kind);
    assert.deepEqual(kinds, [
      'child',
      'child',
      'child',
      'systemd-run',
      'systemd-run',
      'systemd-run',
    ]);
    assert.equal(asked.length, 4);
  });
});
