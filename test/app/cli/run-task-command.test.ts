import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { makeFolder, openTestStore } from '../http/http-fixture.ts';
import { addTask, findTask, logOf } from '../tasks/task-fixture.ts';
import { runProgram } from './program.ts';

const BUSCTL = `case "$*" in
  *.Unit*) unit=$(printf '%s' "$5" | sed 's/.*unit.//; s/_2e/./g')
     printf '{"type":"s","data":"%s"}\\n' "$unit" loaded active running; echo '{"type":"b","data":false}'
     printf '{"type":"s","data":"%s"}\\n' '' ''
     for list in BindsTo Requires DropInPaths; do echo '{"type":"as","data":[]}'; done ;;
  *) echo '{"type":"s","data":"success"}'; echo '{"type":"u","data":1}'
     echo '{"type":"a(sasbttttuii)","data":[["/usr/bin/podman",["podman","run","localhost/web:stable"],false,0,0,0,0,0,0,0]]}' ;;
esac`;
const PODMAN = `case "$1 $2" in
  "ps --all") echo '[{"Id":"c1","State":"running","Status":"Up","Image":"localhost/web:stable","ImageID":"i1"}]' ;;
  "image inspect") echo '[{"Id":"i1","Digest":"sha256:${'0a'.repeat(32)}","RepoDigests":null}]' ;;
  info*) echo '{}' ;;
esac`;

/** A host of small programs on which every unit runs what it is to run, and a store in which tasks wait. */
function makeHost(context: TestContext, units: readonly string[]) {
  const folder = makeFolder(context);
  const programs = join(folder, 'programs');
  mkdirSync(programs);
  for (const [name, script] of Object.entries({ busctl: BUSCTL, podman: PODMAN, systemctl: '' })) {
    writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const store = openTestStore(context, folder);
  const ids = units.map((unit) => addTask(store, `${unit}.service`));
  const environment = {
    PATH: `${programs}:/usr/bin:/bin`,
    PODUP_STATE_DIR: folder,
    PODUP_DB_URL: join(folder, 'data/test.db'),
  };
  return { store, ids, environment };
}

describe('run-task', () => {
  test('carries out its task and then what waits, one after the other, and nothing that may not begin', async (t) => {
    const { store, ids, environment } = makeHost(t, ['a', 'b', 'c']);
    const [first = '', , third = ''] = ids;
    store.dispatching.begin(Date.now(), 1);
    store.tasks.markDispatched(first, 'child', Date.now());
    store.tasks.requestStop(third, 'nobody', Date.now());
    const { code, stdout, stderr } = await runProgram(t, ['run-task', first, '1'], environment);
    assert.equal(code, 0, stdout + stderr);
    const tasks = ids.map((id) => findTask(store, id));
    assert.deepEqual(
      tasks.map(({ status, process }) => [status, process]),
      [
        ['skipped', `${first}-1`],
        ['skipped', `${first}-1`],
        ['cancelled', `${first}-1`],
      ],
    );
    for (const [at, task] of tasks.entries())
      assert.ok(at === 0 || (task.started_at ?? 0) >= (tasks[at - 1]?.finished_at ?? 0));
    assert.ok(logOf(store, third).includes('stop-requested'));
  });

  test('leaves what waits where no more is to be begun', async (t) => {
    const { store, ids, environment } = makeHost(t, ['a', 'b']);
    const [first = '', second = ''] = ids;
    store.dispatching.begin(Date.now(), 0);
    store.tasks.markDispatched(first, 'child', Date.now());
    const { code } = await runProgram(t, ['run-task', first, '1'], environment);
    assert.equal(code, 0);
    assert.deepEqual(
      [findTask(store, first).status, findTask(store, second).status],
      ['skipped', 'pending'],
    );
    const again = await runProgram(t, ['run-task', first, '1'], environment);
    assert.equal(again.code, 1);
  });
});
