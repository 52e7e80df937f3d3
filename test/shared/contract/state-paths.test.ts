import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programPaths, statePaths } from '../../../shared/contract/state-paths.ts';

test('the layout of a state directory is what the documentation says', () => {
  assert.deepEqual(statePaths('/s'), {
    stateDir: '/s',
    dataDir: '/s/data',
    database: '/s/data/pod-upgrade-trigger.db',
    intakeDir: '/s/intake',
    supervisorLock: '/s/data/supervisor.lock',
    workerLock: '/s/data/worker.lock',
    updateRecord: '/s/data/UPDATE_LOCK.json',
    updateRequest: '/s/data/update-request.json',
    updateAnswersDir: '/s/data/update-answers',
    updateHistory: '/s/data/update-history.jsonl',
    quarantine: '/s/data/quarantine.json',
    updatePolicy: '/s/data/update-policy.json',
    backupsDir: '/s/data/backups/auto_update',
    databaseBackupsDir: '/s/data/backups/database',
    foundUnits: '/s/data/found-units.json',
    standbyHooks: '/s/data/hooks.json',
    hookKey: '/s/data/hook.key',
    dispatchLock: '/s/data/dispatch.lock',
    lastPayload: '/s/last_payload.bin',
    serviceSocket: '/s/data/service.sock',
    reportsDir: '/s/self-update-reports',
  });
});

test('everything that an update exchanges lies beside the program, in one folder', () => {
  assert.deepEqual(programPaths('/b/podup'), {
    target: '/b/podup',
    staged: '/b/podup.new',
    partial: '/b/podup.partial',
    old: '/b/podup.old',
    tries: '/b/podup.tries',
  });
});
