import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AttentionView } from '../../../app/api/attention-views.ts';
import { openStore } from '../../../app/db/store.ts';
import { EXIT } from '../../../shared/contract/exit-codes.ts';
import { newTask } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { runProgram } from './program.ts';

test('attention tells what failed, with what can be done, and keeps who has seen it', async (t) => {
  const folder = makeTempFolder(t);
  const opened = openStore(join(folder, 'data/pod-upgrade-trigger.db'), { version: '0', nowMs: 1 });
  assert.ok(opened.ok);
  const id = 'tsk_0000000000000000000';
  opened.value.tasks.insert(newTask({ id }));
  opened.value.tasks.finish(
    { id, attempts: 0 },
    { status: 'failed', summary: 'It failed.', errorCode: 'PULL_FAILED', errorDetail: 'x', at: 9 },
  );
  opened.value.close();
  const environment = { PODUP_STATE_DIR: folder, XDG_RUNTIME_DIR: '/proc/none' };
  const list = async () => {
    const { code, stdout } = await runProgram(t, ['attention', 'list', '--json'], environment);
    assert.equal(code, EXIT.ok);
    const { items } = JSON.parse(stdout) as AttentionView;
    return items.find(({ kind }) => kind === 'failed-task');
  };
  const failed = await list();
  assert.deepEqual(
    [failed?.code, failed?.unit, failed?.seen],
    ['PULL_FAILED', 'web.service', null],
  );
  assert.equal(failed?.action.command, `pod-upgrade-trigger tasks retry ${id}`);
  const seen = await runProgram(t, ['attention', 'seen', failed?.id ?? ''], environment);
  assert.match(seen.stdout, /^Seen by cli:/);
  assert.match((await list())?.seen?.by ?? '', /^cli:/);
  const people = await runProgram(t, ['attention', 'list'], environment);
  assert.match(people.stdout, /^warning web\.service .*\n {2}x\n {2}since .*, seen by cli:/m);
  const unknown = await runProgram(t, ['attention', 'seen', 'x'], environment);
  assert.equal(unknown.code, EXIT.failure);
  assert.match(unknown.stderr, /^ATTENTION_NOT_FOUND/m);
});
