import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { EventView } from '../../../app/api/views.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { askAdmin, makeFolder, TOKEN } from '../http/http-fixture.ts';
import { runProgram, startProgram } from './program.ts';

/** A service and the command line beside it, with the same settings. */
async function startService(context: TestContext) {
  const environment = {
    PODUP_STATE_DIR: makeFolder(context),
    PODUP_TOKEN: TOKEN,
    PODUP_MANUAL_UNITS: 'web',
    PODUP_TASK_EXECUTOR: 'child',
    XDG_RUNTIME_DIR: '/proc/none',
  };
  const { logged } = startProgram(
    context,
    ['http-server', '--http-addr', '127.0.0.1:0'],
    environment,
  );
  const { address } = await logged('serving');
  const port = Number(String(address).split(':').pop());
  const run = (...words: string[]) =>
    runProgram(context, words, { ...environment, PODUP_HTTP_ADDR: `127.0.0.1:${port}` });
  const events = async (query: string) => {
    const { json } = await askAdmin(port, `/api/events?${query}`);
    return json['events'] as EventView[];
  };
  return { run, events };
}

describe('deploy', () => {
  test('makes a task, which the events of the call and of its request name', async (t) => {
    const { run, events } = await startService(t);
    const { code, stdout, stderr } = await run('deploy', 'web.service');
    assert.deepEqual([code, stderr], [EXIT.ok, '']);
    const task = /Task (tsk_\w+);/.exec(stdout)?.[1] ?? '';
    const found = (await events(`task_id=${task}`)).filter(({ method }) => method !== 'SYSTEM');
    assert.deepEqual(found.map(({ action, status }) => `${action} ${status}`).sort(), [
      'cli-deploy 202',
      'deployments-api 202',
    ]);
  });

  test('that is refused is recorded with the status and the code of the refusal', async (t) => {
    const { run, events } = await startService(t);
    assert.equal((await run('deploy', 'other.service')).code, EXIT.failure);
    const ended = await run('stop-task', 'tsk_0000000000000000000');
    assert.equal(ended.code, EXIT.failure);
    assert.deepEqual(
      (await events('method=CLI')).map(({ action, code, task_id }) => [action, code, task_id]),
      [
        ['cli-stop-task', 'TASK_NOT_FOUND', 'tsk_0000000000000000000'],
        ['cli-deploy', 'UNIT_NOT_CONFIGURED', null],
      ],
    );
  });
});
