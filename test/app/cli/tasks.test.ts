import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { startApp } from '../http/http-fixture.ts';
import { addTask } from '../tasks/task-fixture.ts';
import { startProgram } from './program.ts';

/** A service with two tasks, the first of which has failed, and the commands that ask it. */
async function start(context: TestContext) {
  const { folder, store } = await startApp(context);
  const failed = addTask(store, 'web.service');
  const entry = { task_id: failed, ts: 1, level: 'info', action: 'note', meta: null } as const;
  store.taskLogs.append({ ...entry, summary: 'Something was done.' });
  store.tasks.finish(attemptOf(store.tasks, failed), {
    ...{ status: 'failed', summary: 'It failed.', errorCode: 'PULL_FAILED', at: 2 },
  });
  const waiting = addTask(store, 'twin.service');
  const environment = { PODUP_STATE_DIR: folder };
  const run = (...words: string[]) => startProgram(context, words, environment).ended;
  return { store, failed, waiting, run };
}

describe('tasks', () => {
  test('list shows one a line, filtered, and how to go on', async (t) => {
    const { run, failed, waiting } = await start(t);
    const { code, stdout, stderr } = await run('tasks', 'list');
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    assert.match(
      stdout,
      new RegExp(`^ID .*\n${waiting}  .*  pending .*\n${failed}  .*  failed   web`),
    );
    const words = ['--status', 'failed,pending', '--query', 'TSK_', '--limit', '1', '--json'];
    const page = JSON.parse((await run('tasks', 'list', ...words)).stdout);
    assert.deepEqual([page.tasks.length, page.tasks[0].task_id], [1, waiting]);
    const cursor = page.next_cursor;
    const rest = await run('tasks', 'list', '--cursor', cursor, '--unit-query', 'WEB');
    assert.match(rest.stdout, new RegExp(`\n${failed} `));
    const none = await run('tasks', 'list', '--retry-of', failed);
    assert.equal(none.stdout, 'No such task.\n');
    const more = await run('tasks', 'list', '--limit', '1');
    assert.match(more.stdout, /There is more: --cursor \d+\.tsk_/);
  });

  test('list says what is wrong with a filter', async (t) => {
    const { run } = await start(t);
    const { code, stdout, stderr } = await run('tasks', 'list', '--status', 'done');
    assert.deepEqual([code, stdout], [EXIT.usage, '']);
    assert.match(stderr, /^REQUEST_INVALID: .* status: done is none of pending/);
  });

  test('show and export tell of a task, for people and for programs', async (t) => {
    const { run, failed } = await start(t);
    const shown = await run('tasks', 'show', failed);
    assert.equal(shown.code, EXIT.ok);
    assert.match(shown.stdout, new RegExp(`^task        ${failed} `));
    assert.match(shown.stdout, /^1970-.* {2}info {5}note {2}Something was done\.$/m);
    const exported = await run('tasks', 'export', failed);
    assert.equal(exported.stdout, shown.stdout);
    const json = JSON.parse((await run('tasks', 'export', failed, '--format', 'json')).stdout);
    assert.deepEqual([json.task_id, json.logs.length], [failed, 1]);
    const detail = JSON.parse((await run('tasks', 'show', failed, '--json')).stdout);
    assert.deepEqual([detail.task_id, detail.can_retry], [failed, true]);
    const none = await run('tasks', 'export', 'tsk_0000000000000000000');
    assert.deepEqual([none.code, none.stdout], [EXIT.failure, '']);
    assert.match(none.stderr, /^TASK_NOT_FOUND: /);
    assert.equal((await run('tasks', 'export', failed, '--format', 'xml')).code, EXIT.usage);
  });

  test('stop, force-stop and retry do what they say, and print the refusal', async (t) => {
    const { run, store, failed, waiting } = await start(t);
    const retried = await run('tasks', 'retry', failed, '--reason', 'again');
    assert.equal(retried.code, EXIT.ok);
    const [, id = ''] = /^Task (tsk_\w+) is pending: /.exec(retried.stdout) ?? [];
    const row = store.tasks.find(id);
    assert.deepEqual([row?.retry_of, row?.trigger_reason], [failed, 'again']);
    store.tasks.markDispatched(id, 'child', 1);
    const stopped = await run('tasks', 'stop', id);
    assert.match(stopped.stdout, new RegExp(`^Task ${id} is running and ends: `));
    const forced = await run('tasks', 'force-stop', id, '--json');
    assert.equal(JSON.parse(forced.stdout).error.code, 'TASK_FORCE_STOPPED');
    const alias = await run('stop-task', waiting);
    assert.match(alias.stdout, new RegExp(`^Task ${waiting} is cancelled: `));
    for (const command of ['stop', 'force-stop'])
      assert.match((await run('tasks', command, failed)).stderr, /^TASK_ENDED: /);
    const refused = await run('tasks', 'retry', 'tsk_0000000000000000000');
    assert.deepEqual([refused.code, refused.stdout], [EXIT.failure, '']);
    assert.match(refused.stderr, /^TASK_NOT_FOUND: /);
  });
});
