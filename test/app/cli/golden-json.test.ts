import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Command } from 'commander';
import { openStore } from '../../../app/db/store.ts';
import { buildProgram } from '../../../app/main.ts';
import { NO_CLOCK } from '../../../shared/config/no-clock.ts';
import { attemptOf } from '../../helpers/attempt-of.ts';
import { someEvent } from '../../helpers/events.ts';
import { PROGRAM_FILE } from '../../helpers/product.ts';
import { newTask } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { startProgram } from './program.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/cli/json');
/** `npm run golden` writes what is printed now in place of comparing it. */
const IS_WRITTEN = process.env['GOLDEN'] === 'write';

const FAILED = 'tsk_1m8ch0v4v0ed4ka7xz2';
const DIGEST = `sha256:${'0a'.repeat(32)}`;

/** Every command that a program may read, as it is called here; the file is called as the words before `--`. */
const ROWS: readonly (readonly string[])[] = [
  ['tasks list', '--status', 'failed'],
  ['tasks show', FAILED],
  ['tasks follow', FAILED],
  ['tasks stop', FAILED],
  ['tasks force-stop', FAILED],
  ['stop-task', FAILED],
  ['tasks retry', 'tsk_0000000000000000000', '--reason', 'again'],
  ['deploy', 'web.service', '--reason', 'by hand'],
  ['trigger-units', 'other', '--dry-run'],
  ['trigger-all', '--dry-run'],
  ['events list', '--action', 'test'],
  ['events verify'],
  ['quarantine list'],
  ['quarantine release', 'web.service', DIGEST],
  ['image-locks list'],
  ['limits release', 'nothing'],
  ['image-locks release', 'nothing'],
  ['units updates'],
  ['schedule list'],
  ['schedule run', 'nothing'],
  ['prune-state', '--dry-run'],
  ['backup create'],
  ['backup list'],
  ['backup verify'],
  ['self-update status'],
  ['self-update history'],
  ['self-update check'],
  ['hooks create', 'forge', '--source', 'gitea', '--allow', 'git.example/acme/*'],
  ['hooks list'],
  ['hooks show', 'forge'],
  ['hooks update', 'forge', '--unit', 'web', '--from', '10.0.0.0/8', '--action', 'check'],
  ['hooks rotate', 'forge'],
  ['hooks revoke', 'forge', 'sec_none'],
  ['hooks disable', 'forge'],
  ['hooks enable', 'forge'],
  ['hooks delete', 'forge'],
  ['deliveries list', '--verdict', 'accepted'],
  ['deliveries show', 'dlv_none'],
  ['deliveries replay', 'dlv_none'],
  ['deliveries refused'],
  ['deliveries missed'],
  ['tokens list'],
  ['tokens revoke', 'nothing'],
  ['attention seen', 'nothing'],
  ['config show', '--changed'],
  ['config check'],
  ['check-config'],
];

/** What is held elsewhere, and why not here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'tokens create': 'prints what nobody can know before, see tokens.test.ts',
  doctor: 'tells of the health of this host, see doctor/doctor.test.ts',
  'attention list': 'tells of the health of this host, see attention.test.ts',
  'backup restore': 'refused while the service runs, see backup.test.ts',
  'limits list': 'tells of connections, see limits.test.ts',
  'units list': 'tells what was found on this host, see units.test.ts',
  'units show': 'tells what was found on this host, see units.test.ts',
  'units check': 'asks registries, see check-updates.test.ts',
  'self-update explain': 'says when something comes next, see self-update/look.test.ts',
  'self-update run': 'needs a supervisor, see self-update/run.test.ts',
  'self-update rollback': 'needs a supervisor, see self-update/run.test.ts',
  'self-update cancel': 'needs a supervisor, see self-update/run.test.ts',
  'self-update hold': 'needs a supervisor, see self-update/run.test.ts',
  'self-update resume': 'needs a supervisor, see self-update/run.test.ts',
};

/** A state directory with one task that has failed, an event, and an image in quarantine. */
function makeState(context: TestContext) {
  const stateDir = makeTempFolder(context);
  mkdirSync(join(stateDir, 'data'));
  const file = join(stateDir, 'data/pod-upgrade-trigger.db');
  const opened = openStore(file, { version: 'test', nowMs: 1 });
  assert.ok(opened.ok);
  const store = opened.value;
  store.tasks.insert(newTask({ id: FAILED, unit: 'web.service', created_at: Date.now() }));
  store.tasks.markDispatched(FAILED, 'child', Date.now());
  store.tasks.finish(attemptOf(store.tasks, FAILED), {
    ...{ status: 'failed', summary: 'It failed.', errorCode: 'PULL_FAILED', at: Date.now() },
  });
  store.events.insertAll([someEvent({ ts: Date.now(), action: 'test' })]);
  store.quarantine.add({
    ...{ unit: 'web.service', digest: DIGEST, image: 'ghcr.io/o/web:stable', image_id: null },
    ...{ code: 'GATE_UNHEALTHY', detail: 'It is unhealthy.', at: Date.now(), expires_at: null },
  });
  store.close();
  return {
    PODUP_STATE_DIR: stateDir,
    PODUP_HTTP_ADDR: '127.0.0.1:0',
    PODUP_MANUAL_UNITS: 'web',
    PODUP_TASK_EXECUTOR: 'child',
    XDG_RUNTIME_DIR: '/proc/none',
    HOME: '/proc/none',
    TZ: 'UTC',
    ...NO_CLOCK,
  };
}

/** Fields that differ from run to run. */
const VARYING = new Set([
  ...['version', 'commit', 'bytes', 'schema', 'pid', 'id', 'verified', 'kept_rows'],
  ...['duration_ms', 'freed_bytes', 'time_zone', 'request_id', 'now'],
]);

/** What differs from run to run takes a name that stays. */
function mask(printed: string, stateDir: string): string {
  const value = JSON.parse(printed.replaceAll(stateDir, '<state>'), (key, one) =>
    VARYING.has(key) && one !== null && typeof one !== 'object' ? `<${key}>` : one,
  );
  return `${JSON.stringify(value, null, 2)}\n`
    .replaceAll(/\b(tsk|req|cli|bat|pln)_[0-9a-z]{15,}/g, '$1_<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g, '<time>')
    .replaceAll(/\b(whsec|puh)_[A-Za-z0-9+/_=-]{43,}/g, '$1_<secret>')
    .replaceAll(/podup-\d{8}T\d{9}Z/g, 'podup-<time>')
    .replaceAll(`cli:${userInfo().username}`, 'cli:<user>')
    .replaceAll(/\b[0-9a-f]{64}\b/g, (hash) => (DIGEST.includes(hash) ? hash : '<hash>'));
}

function check(name: string, text: string): void {
  const path = join(FIXTURES, `${name.replaceAll(' ', '-')}.json`);
  if (IS_WRITTEN) writeFileSync(path, text);
  assert.ok(existsSync(path), `there is no ${path}; npm run golden makes it`);
  assert.equal(text, readFileSync(path, 'utf8'));
}

/** The words of every command with `--json`. */
function findJsonCommands(command: Command, words: readonly string[] = []): string[] {
  const own = command.options.some(({ long }) => long === '--json') ? [words.join(' ')] : [];
  return [
    ...own,
    ...command.commands.flatMap((one) => findJsonCommands(one, [...words, one.name()])),
  ];
}

describe('--json', () => {
  test('of every command is held by a golden file, or elsewhere', () => {
    const program = buildProgram({
      program: ['x'],
      environment: {},
      loadSupervisor: () => Promise.resolve(),
      loadTask: () => Promise.reject(new Error('not here')),
    });
    const held = [...ROWS.map(([name]) => name), ...Object.keys(ELSEWHERE)];
    assert.deepEqual(findJsonCommands(program).sort(), held.sort());
  });

  for (const isRunning of [false, true]) {
    test(isRunning ? 'while the service runs' : 'on the state itself', async (t) => {
      const environment = makeState(t);
      if (isRunning) {
        await startProgram(t, ['http-server'], environment, { file: PROGRAM_FILE }).logged(
          'serving',
        );
      }
      for (const [name = '', ...rest] of ROWS) {
        await t.test(name, async () => {
          const words = [...name.split(' '), ...rest, '--json'];
          const { ended } = startProgram(t, words, environment, { file: PROGRAM_FILE });
          const { stdout } = await ended;
          check(name, mask(stdout, environment.PODUP_STATE_DIR));
        });
      }
    });
  }
});
