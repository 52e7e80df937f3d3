import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeMaintenanceTask } from '../../../app/tasks/make-maintenance-task.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { runProgram } from './program.ts';

describe('schedule list', () => {
  test('says what comes when and what came last, for people and for programs', async (t) => {
    const stateDir = makeTempFolder(t);
    const { store, path } = openTestStore(t, stateDir);
    const environment = {
      ...{ PODUP_STATE_DIR: stateDir, PODUP_DB_URL: path },
      ...{ PODUP_SCHEDULE_TIME_ZONE: 'UTC', PODUP_PRUNE_CRON: '17 3 * * *' },
    };
    makeMaintenanceTask(store, 'prune', 'schedule');
    const said = await runProgram(t, ['schedule', 'list'], environment);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stdout, /^prune +17 3 \* \* \* +\S+ \S+Z {2}\S+ \S+Z {2}pending /m);
    assert.match(said.stdout, /^backup +off \(PODUP_BACKUP_CRON\) +never$/m);
    assert.match(said.stdout, /^The time zone is UTC\.$/m);
    const json = JSON.parse(
      (await runProgram(t, ['schedule', 'list', '--json'], environment)).stdout,
    );
    assert.equal(
      json.jobs.find((job: { name: string }) => job.name === 'prune').cron,
      '17 3 * * *',
    );
  });

  test('refuses a time zone that is none', async (t) => {
    const environment = { PODUP_STATE_DIR: makeTempFolder(t), PODUP_SCHEDULE_TIME_ZONE: 'Mars' };
    const { code, stderr } = await runProgram(t, ['schedule', 'list'], environment);
    assert.equal(code, 78);
    assert.match(stderr, /PODUP_SCHEDULE_TIME_ZONE/);
  });
});
