import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { TaskView } from '../../../app/api/views.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { askAdmin, makeFolder, TOKEN } from '../http/http-fixture.ts';
import { runProgram, startProgram } from './program.ts';

const SETTINGS = {
  PODUP_TOKEN: TOKEN,
  PODUP_MANUAL_UNITS: 'web,db',
  PODUP_TASK_EXECUTOR: 'child',
  // There is no user manager: each restart fails, and says so.
  XDG_RUNTIME_DIR: '/proc/none',
} as const;

/** A service and the command line beside it, with the same settings. */
async function startService(context: TestContext) {
  const environment = { ...SETTINGS, PODUP_STATE_DIR: makeFolder(context) };
  const words = ['http-server', '--http-addr', '127.0.0.1:0'];
  const { address } = await startProgram(context, words, environment).logged('serving');
  const port = Number(String(address).split(':').pop());
  const run = (...more: string[]) =>
    runProgram(context, more, { ...environment, PODUP_HTTP_ADDR: `127.0.0.1:${port}` });
  const tasks = async () => (await askAdmin(port, '/api/tasks')).json['tasks'] as TaskView[];
  return { run, tasks };
}

describe('trigger-units', () => {
  test('without a name does nothing, and says what is missing', async (t) => {
    const environment = { ...SETTINGS, PODUP_STATE_DIR: makeFolder(t) };
    for (const words of [[], ['--units', ''], ['--units', ' , '], ['--dry-run']]) {
      const { code, stdout, stderr } = await runProgram(
        t,
        ['trigger-units', ...words],
        environment,
      );
      assert.deepEqual([code, stdout, stderr], [EXIT.usage, '', 'Name units, or say --all.\n']);
    }
  });

  test('waits for the end of each, prints it, and ends with 1 where one has failed', async (t) => {
    const { run, tasks } = await startService(t);
    const asked = ['--caller', 'ci', '--reason', 'nightly'];
    const { code, stdout } = await run('trigger-units', 'web', '--units', 'db.service', ...asked);
    assert.equal(code, EXIT.failure);
    const lines = stdout.trim().split('\n');
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? '', /^web\.service -> failed: .+/);
    assert.match(lines[1] ?? '', /^db\.service -> failed: .+/);
    const all = await tasks();
    assert.deepEqual(
      all.map(({ status, trigger }) => [
        status,
        trigger.caller?.replace(/^cli:\S+, as /, ''),
        trigger.reason,
      ]),
      [
        ['failed', 'ci', 'nightly'],
        ['failed', 'ci', 'nightly'],
      ],
    );
  });

  test('leaves the tasks to run where it is told to, and tells a program of them', async (t) => {
    const { run, tasks } = await startService(t);
    const { code, stdout } = await run('trigger-all', '--no-wait', '--json');
    assert.equal(code, EXIT.ok);
    const { triggered, batch_id: batch } = JSON.parse(stdout) as {
      triggered: { unit: string; status: string }[];
      batch_id: string;
    };
    assert.deepEqual(
      triggered.map(({ unit, status }) => [unit, status]),
      [
        ['web.service', 'pending'],
        ['db.service', 'pending'],
      ],
    );
    assert.ok((await tasks()).every(({ batch_id: id }) => id === batch));
  });

  test('makes no task in a dry run, nor of a unit that is not known', async (t) => {
    const { run, tasks } = await startService(t);
    const dry = await run('trigger-all', '--dry-run');
    assert.equal(dry.code, EXIT.failure);
    assert.match(dry.stdout, /^web\.service -> error: USER_MANAGER_UNAVAILABLE: /);
    const unknown = await run('trigger-units', 'web', 'sshd');
    assert.deepEqual([unknown.code, unknown.stdout], [EXIT.failure, '']);
    assert.match(unknown.stderr, /^UNIT_NOT_CONFIGURED: /);
    assert.deepEqual(await tasks(), []);
  });
});
