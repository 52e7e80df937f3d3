import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadSettings } from '../../../shared/config/load-settings.ts';
import { statePaths } from '../../../shared/contract/state-paths.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

function load(environment: NodeJS.ProcessEnv) {
  const reading = loadSettings(environment);
  assert.ok(reading.ok, JSON.stringify(reading));
  return reading.loaded;
}

function faultsOf(environment: NodeJS.ProcessEnv) {
  const reading = loadSettings(environment);
  assert.ok(!reading.ok, 'no fault was found');
  return reading.faults;
}

test('secrets come from real files and credentials and are listed as never to be printed', (t) => {
  const folder = makeTempFolder(t);
  mkdirSync(join(folder, 'credentials'));
  writeFileSync(join(folder, 'token'), 'token of a file\n');
  writeFileSync(join(folder, 'credentials/PODUP_GH_WEBHOOK_SECRET'), 'secret of a credential\n');
  const loaded = load({
    PODUP_STATE_DIR: folder,
    PODUP_TOKEN_FILE: join(folder, 'token'),
    CREDENTIALS_DIRECTORY: join(folder, 'credentials'),
    PODUP_GH_WEBHOOK_SECRET_PREVIOUS: 'secret of before',
    PODUP_RELEASE_TOKEN: 'token of the releases',
    PODUP_GITHUB_TOKEN: 'token of github',
  });
  assert.equal(loaded.settings.adminToken, 'token of a file');
  assert.equal(loaded.settings.webhookSecret, 'secret of a credential');
  assert.deepEqual(loaded.secrets, [
    'token of a file',
    'secret of a credential',
    'secret of before',
    'token of the releases',
    'token of github',
  ]);
});

test('without secrets there is nothing to mask', (t) => {
  assert.deepEqual(load({ PODUP_STATE_DIR: makeTempFolder(t) }).secrets, []);
});

test('everything lies below the state directory', (t) => {
  const folder = makeTempFolder(t);
  assert.deepEqual(load({ PODUP_STATE_DIR: folder }).paths, statePaths(folder));
});

test('PODUP_DB_URL moves the database and nothing else', (t) => {
  const folder = makeTempFolder(t);
  const environment = { PODUP_STATE_DIR: folder, PODUP_DB_URL: 'sqlite:///elsewhere/my.db' };
  const { paths } = load(environment);
  assert.deepEqual(paths, { ...statePaths(folder), database: '/elsewhere/my.db' });
});

test('PODUP_SELF_UPDATE_REPORT_DIR moves the reports and nothing else', (t) => {
  const folder = makeTempFolder(t);
  const { paths } = load({
    PODUP_STATE_DIR: folder,
    PODUP_SELF_UPDATE_REPORT_DIR: '/elsewhere/reports/',
  });
  assert.deepEqual(paths, { ...statePaths(folder), reportsDir: '/elsewhere/reports' });
});

test('the state directory is found without being configured', (t) => {
  const folder = makeTempFolder(t);
  assert.equal(load({ STATE_DIRECTORY: folder }).paths.stateDir, folder);
});

test('without a home the state directory is a fault of its own', () => {
  // Where the system-wide folder exists it would be taken, so the fault is then not to be had.
  const reading = loadSettings({});
  if (reading.ok) assert.equal(reading.loaded.paths.stateDir, '/srv/pod-upgrade-trigger');
  else assert.match(reading.faults.join(), /^PODUP_STATE_DIR: it is not set and there is no HOME/);
});

test('warnings come along', (t) => {
  const { warnings } = load({ PODUP_STATE_DIR: makeTempFolder(t), PODUP_STATEDIR: '/x' });
  assert.equal(warnings.length, 1);
});

test('faults of the settings are handed on', () => {
  assert.match(faultsOf({ PODUP_LOG_LEVEL: 'loud' }).join(), /PODUP_LOG_LEVEL/);
});

test('a secret file of more than 64 KiB is a fault', (t) => {
  const path = join(makeTempFolder(t), 'token');
  writeFileSync(path, 'x'.repeat(64 * 1024 + 1));
  assert.match(faultsOf({ PODUP_TOKEN_FILE: path }).join(), /cannot be read \(EFBIG\)/);
});

test('a folder in place of a secret file is a fault', (t) => {
  const folder = makeTempFolder(t);
  assert.match(faultsOf({ PODUP_TOKEN_FILE: folder }).join(), /cannot be read \(EISDIR\)/);
});

test('a secret file below what is no folder is a fault', (t) => {
  const path = join(makeTempFolder(t), 'token');
  writeFileSync(path, 'a good token');
  chmodSync(path, 0o400);
  assert.match(faultsOf({ PODUP_TOKEN_FILE: `${path}/x` }).join(), /cannot be read \(ENOTDIR\)/);
});
