import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../../../app/db/store.ts';
import { addTask } from '../../tasks/task-fixture.ts';
import { askAdmin, startApp } from '../http-fixture.ts';

const COMMAND = {
  argv: ['podman', 'pull', 'x'],
  kind: 'exited',
  code: 125,
  duration_ms: 37,
  stdout: 'one\ntwo \u001b[31mred\n',
  stderr: 'no such\rimage',
};

function addLogged(store: Store): string {
  const id = addTask(store, 'web.service', 'ghcr.io/o/web:main');
  const entry = {
    task_id: id,
    ts: 1_700_000_000_000,
    level: 'warning',
    action: 'command',
  } as const;
  store.taskLogs.append({ ...entry, summary: 'podman pull', meta: JSON.stringify(COMMAND) });
  store.taskLogs.append({ ...entry, action: 'note', summary: 'two\nlines', meta: null });
  store.tasks.markDispatched(id, 'child', 1);
  store.tasks.finish(
    { id, attempts: 1 },
    { status: 'failed', summary: 'No.', errorCode: 'PULL_FAILED', errorDetail: 'seen', at: 2 },
  );
  return id;
}

describe('the export of a task', () => {
  test('as JSON is what the API shows, with its whole log', async (t) => {
    const { port, store } = await startApp(t);
    const id = addLogged(store);
    for (let index = 0; index < 1001; index++)
      store.taskLogs.append({
        ...{ task_id: id, ts: 1, level: 'info', action: 'a', summary: `${index}`, meta: null },
      });
    const detail = await askAdmin(port, `/api/tasks/${id}`);
    const exported = await askAdmin(port, `/api/tasks/${id}/export?format=json`);
    assert.match(String(exported.headers['content-type']), /^application\/json/);
    assert.match(String(exported.headers['content-disposition']), new RegExp(`"${id}\\.json"`));
    const { logs, ...head } = JSON.parse(exported.text);
    const {
      logs: first,
      logs_next: _,
      ...shown
    } = detail.json as { logs: unknown[] } & Record<string, unknown>;
    assert.deepEqual(head, shown);
    assert.equal(logs.length, 1003);
    assert.deepEqual(logs.slice(0, first.length), first);
  });

  test('as text is one line for each entry, and output stands indented below it', async (t) => {
    const { port, store } = await startApp(t);
    const id = addLogged(store);
    const { text, headers } = await askAdmin(port, `/api/tasks/${id}/export?format=text`);
    assert.match(String(headers['content-type']), /^text\/plain/);
    const [head = '', log = ''] = text.split('\n\n');
    assert.ok(head.includes(`task        ${id} (github-webhook)\n`));
    assert.match(head, /^error {7}PULL_FAILED: .* seen$/m);
    assert.doesNotMatch(head, /^(batch|retry of|reason|hint {6}null)/m);
    assert.equal(
      log,
      [
        '2023-11-14T22:13:20.000Z  warning  command  podman pull',
        '    $ podman pull x  (37 ms)',
        '    stdout:',
        '      one',
        '      two \uFFFD[31mred',
        '    stderr:',
        '      no such image',
        '2023-11-14T22:13:20.000Z  warning  note  two lines',
        '',
      ].join('\n'),
    );
  });

  test('knows two formats', async (t) => {
    const { port, store } = await startApp(t);
    const answer = await askAdmin(port, `/api/tasks/${addLogged(store)}/export?format=xml`);
    assert.deepEqual([answer.status, answer.json['code']], [400, 'REQUEST_INVALID']);
    assert.match(String(answer.json['detail']), /^format: /);
  });
});
