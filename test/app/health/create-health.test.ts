import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { HealthComponent } from '../../../app/domain/health.ts';
import { createHealth } from '../../../app/health/create-health.ts';
import type { Failure } from '../../../shared/contract/outcome.ts';
import type { CommandResult } from '../../../shared/process/run-command.ts';
import { makeFolder } from '../http/http-fixture.ts';
import { answerCommands } from '../tasks/task-fixture.ts';

type Answer = (argv: readonly string[]) => Partial<CommandResult>;

/** A host where all is well; what is given in `over` is not. */
const WELL: Answer = ([program]) => ({
  stdout: program === 'podman' ? 'podman version 5.4.2\n' : 'running\n',
});

function prepare(context: TestContext, answer: Answer = WELL) {
  const folder = makeFolder(context);
  mkdirSync(join(folder, 'systemd'));
  writeFileSync(join(folder, 'podman'), '');
  writeFileSync(join(folder, 'systemd/private'), '');
  const told = { database: undefined as Failure | undefined, newest: null as number | null };
  const state = { answer, now: 1_000_000, steady: 5_000 };
  context.mock.method(performance, 'now', () => state.steady);
  context.mock.method(Date, 'now', () => state.now);
  const { run, asked } = answerCommands((argv) => state.answer(argv));
  const rest = { stateDir: '/tmp', minFreeBytes: 0 };
  const make = (over: Partial<typeof rest> = {}) =>
    createHealth({
      ...{ run, runHere: run, isSystem: false, isRemote: false, ...rest, ...over },
      environment: { PATH: folder, XDG_RUNTIME_DIR: folder },
      database: () => told.database,
      newestAt: () => told.newest,
      registry: () => undefined,
      supervisor: () => undefined,
    });
  /** Lets time go by on both clocks, and the look after it happen. */
  const pass = async (ms: number) => {
    state.steady += ms;
    state.now += ms;
    context.mock.timers.tick(10_000);
    for (let turn = 0; turn < 2_000; turn++) await new Promise(setImmediate);
  };
  return { folder, told, state, asked, make, pass };
}

const faultsOf = async (health: ReturnType<typeof createHealth>) =>
  (await health.check()).flatMap(({ component, failure }) =>
    failure ? [[component, failure.code]] : [],
  );
const stateOf = async (health: ReturnType<typeof createHealth>, component: HealthComponent) =>
  (await health.check()).find((one) => one.component === component);

describe('health', () => {
  test('a request asks nothing: fifty of them share the one look', async (t) => {
    const { make, asked } = prepare(t);
    const health = make();
    const all = await Promise.all(Array.from({ length: 50 }, () => health.check()));
    assert.ok(all.every((states) => states.length === 8));
    assert.deepEqual(asked.map(({ argv }) => argv.join(' ')).sort(), [
      'podman --version',
      'systemctl --user is-system-running',
      'timedatectl show --property=NTPSynchronized --value',
    ]);
    assert.deepEqual(await faultsOf(health), []);
  });

  test('podman that is gone is seen at the next look, and that it is back, each by one question', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { make, asked, state, folder, pass } = prepare(t);
    const health = make();
    health.start();
    t.after(() => health.close());
    await health.check();
    asked.length = 0;
    await pass(10_000);
    assert.deepEqual(asked, [], 'nothing shows a change');
    rmSync(join(folder, 'podman'));
    state.answer = ([program]) =>
      program === 'podman' ? { end: { kind: 'not-started', reason: 'ENOENT' } } : WELL([]);
    await pass(10_000);
    assert.deepEqual(await faultsOf(health), [['podman', 'PODMAN_UNAVAILABLE']]);
    const since = (await stateOf(health, 'podman'))?.since;
    await pass(10_000);
    assert.equal((await stateOf(health, 'podman'))?.since, since, 'it is the same illness');
    state.answer = WELL;
    await pass(10_000);
    assert.deepEqual(await faultsOf(health), []);
    assert.equal((await stateOf(health, 'podman'))?.since, null);
  });

  test('a change is told once', async (t) => {
    const { make, told } = prepare(t);
    const health = make();
    await health.check();
    let changes = 0;
    health.onChange(() => changes++);
    told.database = { code: 'DATABASE_READ_ONLY', detail: '' };
    health.lookAtOwn();
    health.lookAtOwn();
    assert.equal(changes, 1);
    assert.equal(health.checkOwn()[0]?.failure?.code, 'DATABASE_READ_ONLY');
  });

  test('a disk with too little space is low, and the bytes are told', async (t) => {
    const { make } = prepare(t);
    const disk = await stateOf(make({ minFreeBytes: Number.MAX_SAFE_INTEGER }), 'disk');
    assert.equal(disk?.failure?.code, 'DISK_LOW');
    assert.match(disk?.failure?.detail ?? '', /^\/tmp: \d+ bytes are free\.$/);
  });

  test('a file system that counts no inodes is not low for that; one that is not there is unusable', async (t) => {
    const { make, folder } = prepare(t);
    assert.deepEqual(await faultsOf(make({ stateDir: '/proc' })), []);
    const missing = make({ stateDir: join(folder, 'none') });
    assert.deepEqual(await faultsOf(missing), [['disk', 'STATE_DIR_UNUSABLE']]);
  });

  test('a clock that was set, and one that is behind the newest row, are told', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { make, state, told, pass } = prepare(t);
    const health = make();
    health.start();
    t.after(() => health.close());
    await health.check();
    state.now -= 3_000_000;
    await pass(10_000);
    const clock = await stateOf(health, 'clock');
    assert.deepEqual(clock?.failure, { code: 'CLOCK_JUMPED', detail: 'By 3000000 ms back.' });
    told.newest = state.now + 3_000_000;
    await pass(10_000);
    assert.deepEqual(await faultsOf(health), [['clock', 'CLOCK_BEHIND_DATABASE']]);
    told.newest = null;
    await pass(3_700_000);
    assert.deepEqual(await faultsOf(health), [], 'an hour later it is no news any more');
  });

  for (const state of ['running', 'degraded', 'starting', 'initializing', 'maintenance']) {
    test(`a user manager that is ${state} answers, whatever the exit code`, async (t) => {
      const end = { kind: 'exited', code: state === 'running' ? 0 : 1 } as const;
      const { make } = prepare(t, ([program]) =>
        program === 'systemctl' ? { stdout: `${state}\n`, end } : WELL(['podman']),
      );
      assert.deepEqual(await faultsOf(make()), []);
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
    test(`a user manager that ${title} is unavailable`, async (t) => {
      const { make } = prepare(t, (argv) => (argv[0] === 'systemctl' ? answer : WELL(argv)));
      const failure = (await stateOf(make(), 'user-manager'))?.failure;
      assert.deepEqual(failure, { code: 'USER_MANAGER_UNAVAILABLE', detail });
    });
  }

  for (const [answer, code] of [
    [{ end: { kind: 'not-started', reason: 'ENOENT' } }, 'PODMAN_UNAVAILABLE'],
    [{ end: { kind: 'exited', code: 125 } }, 'PODMAN_FAILED'],
    [{ end: { kind: 'timed-out' } }, 'PODMAN_FAILED'],
    [{ stdout: 'podman version 3.4.4\n' }, 'PODMAN_TOO_OLD'],
  ] as const) {
    test(`podman that comes to ${JSON.stringify(answer)} is ${code}`, async (t) => {
      const { make } = prepare(t, (argv) => (argv[0] === 'podman' ? answer : WELL(argv)));
      assert.deepEqual(await faultsOf(make()), [['podman', code]]);
    });
  }
});
