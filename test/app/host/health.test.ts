import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createHealthCheck } from '../../../app/host/health.ts';
import { fail, succeed } from '../../../shared/contract/outcome.ts';
import type { CommandResult } from '../../../shared/process/run-command.ts';
import { makeFolder } from '../http/http-fixture.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

const RUNNING = { stdout: 'running\n' };

function prepare(
  answer: (argv: readonly string[]) => Partial<CommandResult>,
  rest: {
    stateDir?: string;
    minFreeBytes?: number;
    checkDatabase?: () => ReturnType<typeof fail>;
  } = {},
) {
  const { run, asked } = answerCommands(answer);
  const check = createHealthCheck({
    run,
    checkDatabase: () => succeed(undefined),
    stateDir: '/tmp',
    minFreeBytes: 0,
    ...rest,
  });
  return {
    asked,
    check,
    faults: async () =>
      (await check()).flatMap(({ component, failure }) =>
        failure ? [[component, failure.code]] : [],
      ),
  };
}

describe('health check', () => {
  test('concurrent callers share one examination of the host, and so do those of the next ten seconds', async (t) => {
    let nowMs = 1_000;
    t.mock.method(performance, 'now', () => nowMs);
    const { check, asked } = prepare(() => RUNNING);
    const all = await Promise.all(Array.from({ length: 50 }, () => check()));
    assert.ok(
      all.every((checks) => checks.length === 4 && checks.every(({ failure }) => !failure)),
    );
    assert.deepEqual(asked.map(({ argv }) => argv.join(' ')).sort(), [
      'podman --version',
      'systemctl --user is-system-running',
    ]);
    nowMs += 10_000;
    await check();
    assert.equal(asked.length, 2);
    nowMs += 1;
    await Promise.all([check(), check()]);
    assert.equal(asked.length, 4);
  });

  test('database and disk are examined each time', async (t) => {
    const missing = `${makeFolder(t)}/none`;
    let isIll = false;
    const { run } = answerCommands(() => RUNNING);
    const check = createHealthCheck({
      run,
      checkDatabase: () =>
        isIll ? fail('DATABASE_UNAVAILABLE', 'SQLITE_IOERR.') : succeed(undefined),
      stateDir: missing,
      minFreeBytes: 0,
    });
    const codes = async () => (await check()).map(({ failure }) => failure?.code);
    assert.deepEqual(await codes(), [undefined, 'STATE_DIR_UNUSABLE', undefined, undefined]);
    isIll = true;
    assert.deepEqual(await codes(), [
      'DATABASE_UNAVAILABLE',
      'STATE_DIR_UNUSABLE',
      undefined,
      undefined,
    ]);
  });

  test('a disk with too little space is low, and the bytes are told', async () => {
    const { check } = prepare(() => RUNNING, { minFreeBytes: Number.MAX_SAFE_INTEGER });
    const disk = (await check())[1];
    assert.equal(disk?.failure?.code, 'DISK_LOW');
    assert.match(disk?.failure?.detail ?? '', /^\/tmp: \d+ bytes are free\.$/);
  });

  test('a file system that counts no inodes is not low for that', async () => {
    assert.deepEqual(await prepare(() => RUNNING, { stateDir: '/proc' }).faults(), []);
  });

  for (const state of ['running', 'degraded', 'starting', 'initializing', 'maintenance']) {
    test(`a user manager that is ${state} answers, whatever the exit code`, async () => {
      const end = { kind: 'exited', code: state === 'running' ? 0 : 1 } as const;
      assert.deepEqual(
        await prepare(() => ({ stdout: `${state}\n`, ...(state !== 'running' && { end }) }))
          .faults()
          .then((all) => all.filter(([name]) => name === 'user-manager')),
        [],
      );
    });
  }

  for (const [title, answer, detail] of [
    ['is stopping', { stdout: 'stopping\n' }, 'It is stopping.'],
    ['is offline', { stdout: 'offline\n', end: { kind: 'exited', code: 1 } }, 'It is offline.'],
    [
      'does not answer',
      { end: { kind: 'timed-out' } },
      'systemctl --user is-system-running did not end within its limit (ran 1 ms).',
    ],
  ] as const) {
    test(`a user manager that ${title} is unavailable`, async () => {
      const { check } = prepare((argv) => (argv[0] === 'systemctl' ? answer : {}));
      const failure = (await check())[3]?.failure;
      assert.deepEqual(failure, { code: 'USER_MANAGER_UNAVAILABLE', detail });
    });
  }

  for (const [end, code] of [
    [{ kind: 'not-started', reason: 'ENOENT' }, 'PODMAN_UNAVAILABLE'],
    [{ kind: 'exited', code: 125 }, 'PODMAN_FAILED'],
    [{ kind: 'timed-out' }, 'PODMAN_FAILED'],
  ] as const) {
    test(`podman that ends with ${JSON.stringify(end)} is ${code}`, async () => {
      const { faults } = prepare((argv) => (argv[0] === 'podman' ? { end } : RUNNING));
      assert.deepEqual(await faults(), [['podman', code]]);
    });
  }
});
