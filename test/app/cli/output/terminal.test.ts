// Needs: script, stty
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify, stripVTControlCharacters } from 'node:util';
import { attemptOf } from '../../../helpers/attempt-of.ts';
import { startApp } from '../../http/http-fixture.ts';
import { addTask } from '../../tasks/task-fixture.ts';

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, '../../../../scripts/pod-upgrade-trigger.ts');
const ESCAPE = '\u001b';

/** A service with a task that has failed, and commands on a terminal of 60 columns. */
async function start(context: TestContext) {
  const { folder, store } = await startApp(context);
  const id = addTask(store, 'web.service');
  store.tasks.finish(attemptOf(store.tasks, id), {
    ...{ status: 'failed', errorCode: 'PULL_FAILED', at: 2 },
    summary: 'It failed, and there is more to say of it than fits here.',
  });
  const onTerminal = async (words: string, more: Readonly<Record<string, string>> = {}) => {
    const env = { PATH: process.env['PATH'], PODUP_STATE_DIR: folder, TERM: 'xterm', ...more };
    const line = `stty cols 60; '${process.execPath}' '${SCRIPT}' ${words}`;
    const { stdout } = await run('script', ['-qec', line, '/dev/null'], { env });
    return stdout.replaceAll('\r\n', '\n');
  };
  return { id, onTerminal };
}

describe('on a terminal', () => {
  test('a table is as wide as the terminal, and in colour', async (t) => {
    const { id, onTerminal } = await start(t);
    const shown = await onTerminal('tasks list');
    assert.ok(shown.includes(`${ESCAPE}[31mfailed`), JSON.stringify(shown));
    const bare = stripVTControlCharacters(shown).trimEnd().split('\n');
    assert.equal(bare.length, 2);
    assert.ok(bare[1]?.startsWith(`${id}  `));
    assert.match(bare[1] ?? '', /…$/);
  });

  test('NO_COLOR leaves colours out', async (t) => {
    const { onTerminal } = await start(t);
    assert.ok(!(await onTerminal('tasks list', { NO_COLOR: '1' })).includes(ESCAPE));
  });

  test('--json is the same as elsewhere', async (t) => {
    const { id, onTerminal } = await start(t);
    const { tasks } = JSON.parse(await onTerminal('tasks list --json'));
    assert.equal(tasks[0].task_id, id);
  });
});
