import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Diagnosis } from '../../../../app/cli/doctor/diagnose.ts';
import { EXIT } from '../../../../shared/contract/exit-codes.ts';
import { makeTempFolder } from '../../../helpers/temp-folder.ts';
import { runProgram, startProgram } from '../program.ts';

type Said = {
  readonly ok: boolean;
  readonly service: string | null;
  readonly faults: readonly string[];
  readonly checks: readonly Diagnosis[];
};

const NO_MANAGER = {
  XDG_RUNTIME_DIR: '/proc/none',
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
};

test('without a service everything is looked at, each illness with what mends it, and nothing is made', async (t) => {
  const folder = makeTempFolder(t);
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data/pod-upgrade-trigger.db'), 'no database'.repeat(1_000));
  const environment = {
    ...NO_MANAGER,
    XDG_RUNTIME_DIR: join(folder, 'none'),
    ...{ PODUP_STATE_DIR: folder, PODUP_HTTP_ADDR: '127.0.0.1:0' },
  };
  const { code, stdout } = await runProgram(t, ['doctor', '--json'], environment);
  assert.equal(code, EXIT.failure);
  const { ok, service, checks } = JSON.parse(stdout) as Said;
  assert.deepEqual([ok, service], [false, 'stopped']);
  const find = (name: string) => checks.find((check) => check.name === name);
  assert.equal(find('database')?.code, 'DATABASE_DAMAGED');
  assert.equal(find('runtime-directory')?.code, 'RUNTIME_DIR_MISSING');
  assert.equal(find('user-manager')?.code, 'USER_MANAGER_UNAVAILABLE');
  assert.equal(find('admin-token')?.status, 'warning');
  assert.equal(find('address')?.status, 'ok');
  for (const { status, fix } of checks) assert.equal(fix === null, status === 'ok');
  const people = await runProgram(t, ['doctor'], environment);
  assert.match(people.stdout, /^error {3}database: .*\(DATABASE_DAMAGED\)\n.*\n +fix: /m);
});

test('a wrong configuration ends it with 78, every fault at once', async (t) => {
  const environment = { PODUP_STATE_DIR: 'relative', PODUP_TASK_CONCURRENCY: '0' };
  const { code, stdout, stderr } = await runProgram(t, ['doctor', '--json'], environment);
  assert.equal(code, EXIT.configInvalid);
  assert.equal((JSON.parse(stdout) as Said).faults.length, 2);
  assert.match(stderr, /PODUP_TASK_CONCURRENCY/);
});

test('a running service is asked what it knows, and its address is not tried', async (t) => {
  const environment = {
    ...NO_MANAGER,
    PODUP_STATE_DIR: makeTempFolder(t),
    PODUP_HTTP_ADDR: '127.0.0.1:0',
  };
  const server = startProgram(t, ['http-server'], environment);
  await server.logged('serving');
  const { stdout } = await runProgram(t, ['doctor', '--json'], environment);
  const { service, checks } = JSON.parse(stdout) as Said;
  assert.equal(service, 'running');
  assert.equal(
    checks.find(({ name }) => name === 'webhook-secret')?.code,
    'WEBHOOK_SECRET_NOT_CONFIGURED',
  );
  await runProgram(t, ['hooks', 'create', 'ci', '--source', 'generic'], environment);
  const reachable = await runProgram(t, ['doctor', '--json'], environment);
  assert.equal(
    (JSON.parse(reachable.stdout) as Said).checks.find(({ name }) => name === 'webhook-secret')
      ?.status,
    'ok',
  );
  assert.equal(
    checks.find(({ name }) => name === 'address'),
    undefined,
  );
  assert.equal(
    checks.find(({ code }) => code === 'SUPERVISOR_ABSENT')?.name,
    'service: supervisor',
  );
  server.child.kill();
  await server.ended;
});
