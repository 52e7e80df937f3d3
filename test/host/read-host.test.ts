import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import { describe, test } from 'node:test';
import { diagnoseUnit } from '../../app/deploy/diagnose-unit.ts';
import { severityOf } from '../../app/domain/health.ts';
import { createHealth } from '../../app/health/create-health.ts';
import { listUnitContainers, seeUnitContainers } from '../../app/host/podman.ts';
import { inspectImage } from '../../app/host/podman-images.ts';
import { readPodmanInfo } from '../../app/host/podman-info.ts';
import { readUnit } from '../../app/host/read-unit.ts';
import {
  checkUserManager,
  isUnitAlive,
  restartUnit,
  waitForUnit,
} from '../../app/host/systemctl.ts';
import { parseRegistryRules } from '../../app/registry/registry-rules.ts';
import { succeed } from '../../shared/contract/outcome.ts';
import { runCommand } from '../../shared/process/run-command.ts';
import { command, pushImage, startUnit } from '../helpers/lab.ts';
import { findProcesses } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';
import { recordRuns } from './host-fixture.ts';

const NO_MANAGER = recordRuns(() => ({
  ...process.env,
  DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
  XDG_RUNTIME_DIR: '/proc/none',
}));
const NO_PROGRAMS = recordRuns(() => ({ PATH: '/nonexistent' }));

/** A unit of a shell line, started at once. */
function transient(unit: string, ...words: string[]): void {
  command('systemd-run', '--user', '--quiet', '--collect', `--unit=${unit}`, ...words);
}

describe('a host', () => {
  const push = pushImage('web:stable', 'v1');
  const index = pushImage('multi:stable', 'v1', '--index');
  startUnit('web', 'web:stable', 8101);
  startUnit('multi', 'multi:stable', 8102);

  test('a unit is read with its image and its state', async () => {
    const unit = await readUnit(runCommand, 'web.service');
    assert.ok(unit.ok);
    const { mainPid, requires, ...rest } = unit.value;
    assert.ok(mainPid > 0);
    // systemd gives them in the order of their addresses.
    assert.deepEqual([...requires].sort(), ['app.slice', 'basic.target']);
    assert.deepEqual(rest, {
      name: 'web.service',
      activeState: 'active',
      subState: 'running',
      result: 'success',
      needsReload: false,
      pullsItself: false,
      isAutoUpdated: true,
      playsKube: null,
      isInPod: false,
      sourcePath: '',
      fragmentPath: `${homedir()}/.config/systemd/user/web.service`,
      bindsTo: [],
      dropInPaths: [],
      image: { registry: '127.0.0.1:5000', repository: 'web', tag: 'stable' },
    });
  });

  for (const name of ['nobody.service', '7days@a:b\\x2d.service', `${'n'.repeat(240)}.service`]) {
    test(`a unit that is not there is not found: ${name.slice(0, 30)}`, async () => {
      const unit = await readUnit(runCommand, name);
      assert.equal(unit.ok || unit.failure.code, 'UNIT_NOT_FOUND');
    });
  }

  test('names with characters that the bus escapes are read', async () => {
    const name = '0-odd_name@x.y:z.service';
    transient(name, 'sleep', '600');
    const unit = await readUnit(runCommand, name);
    assert.ok(unit.ok, JSON.stringify(unit));
    assert.deepEqual([unit.value.activeState, unit.value.image], ['active', undefined]);
  });

  test('a unit that is no container has no image', async () => {
    const unit = await readUnit(runCommand, 'lab-registry.service');
    assert.ok(unit.ok);
    assert.equal(unit.value.image, undefined);
  });

  test('without a user manager nothing is said of any unit', async () => {
    for (const name of ['web.service', 'nobody.service']) {
      const unit = await readUnit(NO_MANAGER.run, name);
      assert.equal(unit.ok || unit.failure.code, 'USER_MANAGER_UNAVAILABLE');
    }
    const outcomes = [
      await checkUserManager(NO_MANAGER.run),
      await isUnitAlive(NO_MANAGER.run, 'web.service'),
    ];
    for (const outcome of outcomes) {
      assert.equal(outcome.ok || outcome.failure.code, 'USER_MANAGER_UNAVAILABLE');
    }
    assert.deepEqual(await checkUserManager(runCommand), succeed(undefined));
  });

  test('the containers of a unit are listed with image and digest, those of others are not', async () => {
    const listed = await listUnitContainers(runCommand, 'web.service');
    assert.ok(listed.ok);
    const [container, ...more] = listed.value;
    assert.deepEqual(more, []);
    assert.deepEqual(
      [container?.name, container?.running, container?.imageName, container?.imageDigest],
      ['web', true, '127.0.0.1:5000/web:stable', push.digest],
    );
    assert.deepEqual(await listUnitContainers(runCommand, 'nobody.service'), succeed([]));
    const { name: _name, imageDigest: _digest, ...seen } = container ?? assert.fail();
    assert.deepEqual(await seeUnitContainers(runCommand, 'web.service'), succeed([seen]));
    assert.deepEqual(await seeUnitContainers(runCommand, 'nobody.service'), succeed([]));
  });

  test('an image is known by tag and digest, of an index by both its digests', async () => {
    const plain = await inspectImage(runCommand, '127.0.0.1:5000/web:stable');
    assert.ok(plain.ok && plain.value);
    assert.deepEqual(plain.value.repoDigests, [`127.0.0.1:5000/web@${push.digest}`]);
    const multi = await inspectImage(runCommand, '127.0.0.1:5000/multi:stable');
    assert.ok(multi.ok && multi.value);
    assert.equal(multi.value.repoDigests.length, 2);
    assert.ok(multi.value.repoDigests.includes(`127.0.0.1:5000/multi@${index.digest}`));
    for (const name of [
      '127.0.0.1:5000/web:none',
      `127.0.0.1:5000/web@sha256:${'00'.repeat(32)}`,
    ]) {
      assert.deepEqual(await inspectImage(runCommand, name), succeed(undefined));
    }
    const faulty = await inspectImage(runCommand, 'NOT/VALID::');
    assert.equal(faulty.ok || faulty.failure.code, 'PODMAN_FAILED');
  });

  test('the registries of podman are read as our look-up understands them', async () => {
    const info = await readPodmanInfo(runCommand);
    assert.ok(info.ok);
    const { registries, version, freeBytes = 0, graphRoot } = info.value;
    assert.match(JSON.stringify(parseRegistryRules(registries)), /127\.0\.0\.1:5000/);
    assert.match(version, /^\d+\.\d+\.\d+/);
    const { bavail, bsize } = statfsSync(graphRoot);
    assert.ok(Math.abs(freeBytes - bavail * bsize) < 2 ** 30, `${freeBytes} ${bavail * bsize}`);
  });

  test('where podman is missing every question says so', async () => {
    const outcomes = [
      await listUnitContainers(NO_PROGRAMS.run, 'web.service'),
      await inspectImage(NO_PROGRAMS.run, 'web'),
      await readPodmanInfo(NO_PROGRAMS.run),
    ];
    for (const outcome of outcomes) {
      assert.equal(outcome.ok || outcome.failure.code, 'PODMAN_UNAVAILABLE');
    }
    const unit = await readUnit(NO_PROGRAMS.run, 'web.service');
    assert.equal(unit.ok || unit.failure.code, 'USER_MANAGER_UNAVAILABLE');
  });

  test('a restart ends when the job ends, and says when it failed or took too long', async () => {
    const before = await readUnit(runCommand, 'web.service');
    assert.equal((await restartUnit(runCommand, 'web.service', 60_000)).end.kind, 'exited');
    const after = await readUnit(runCommand, 'web.service');
    assert.ok(before.ok && after.ok);
    assert.notEqual(after.value.mainPid, before.value.mainPid);
    const missing = await restartUnit(runCommand, 'nobody.service', 60_000);
    assert.deepEqual(missing.end, { kind: 'exited', code: 5 });
    const slow = await restartUnit(runCommand, 'web.service', 1);
    assert.equal(slow.end.kind, 'timed-out');
  });

  test('a unit is alive until it has ended, and the wait ends with it', async () => {
    transient('stay.service', 'sh', '-c', 'until [ -e "$0" ]; do sleep 0.1; done', '/tmp/go-on');
    assert.deepEqual(await isUnitAlive(runCommand, 'stay.service'), succeed(true));
    let isOver = false;
    const ended = waitForUnit(runCommand, 'stay.service', 60_000).then(() => {
      isOver = true;
    });
    await until('the waiter', 5000, () => findProcesses('--wait').length > 0);
    assert.equal(isOver, false);
    command('touch', '/tmp/go-on');
    await ended;
    assert.deepEqual(await isUnitAlive(runCommand, 'stay.service'), succeed(false));
    assert.deepEqual(await isUnitAlive(runCommand, 'nobody.service'), succeed(false));
    await waitForUnit(runCommand, 'stay.service', 60_000);
  });

  test('diagnostics have the status and the journal of the unit, and what runs', async () => {
    // The restart before may still be under way.
    await until('the unit runs', 20_000, async () => {
      return (await diagnoseUnit(runCommand, 'web.service', 1)).running_digest !== undefined;
    });
    const { run, results } = recordRuns();
    const evidence = await diagnoseUnit(run, 'web.service', 20);
    assert.deepEqual(evidence, {
      running_image: '127.0.0.1:5000/web:stable',
      running_digest: push.digest,
    });
    // They are asked at once, and end as they come.
    const said = (word: string) => results.find(({ argv }) => argv.includes(word))?.stdout ?? '';
    assert.match(said('status'), /web\.service[\s\S]*Active: active/);
    assert.match(said('journalctl'), /version v1: starting/);
    assert.ok(said('journalctl').trim().split('\n').length <= 21);
    assert.deepEqual(await diagnoseUnit(runCommand, 'nobody.service', 20), {
      running_image: 'none',
    });
    assert.deepEqual(await diagnoseUnit(NO_PROGRAMS.run, 'web.service', 20), {});
  });

  test('a healthy host is found healthy, and each missing part is named', async () => {
    const examine = async (run: typeof runCommand) => {
      const health = createHealth({
        ...{ run, runHere: run, environment: process.env, isSystem: false, isRemote: false },
        ...{ stateDir: '/tmp', minFreeBytes: 0, database: () => undefined, newestAt: () => null },
        ...{ registry: () => undefined, supervisor: () => undefined },
      });
      const checks = await health.check();
      return checks.flatMap(({ failure }) =>
        failure && severityOf(failure.code) === 'error' ? [failure.code] : [],
      );
    };
    assert.deepEqual(await examine(runCommand), []);
    assert.deepEqual(await examine(NO_MANAGER.run), ['USER_MANAGER_UNAVAILABLE']);
    assert.deepEqual(await examine(NO_PROGRAMS.run), [
      'PODMAN_UNAVAILABLE',
      'USER_MANAGER_UNAVAILABLE',
    ]);
  });
});
