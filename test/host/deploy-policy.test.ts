import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { forceStopTask } from '../../app/tasks/force-stop-task.ts';
import { isSuccess, type RunCommand, runCommand } from '../../shared/process/run-command.ts';
import { attemptOf } from '../helpers/attempt-of.ts';
import { command, countStarts, pushImage, served, startUnit } from '../helpers/lab.ts';
import { until } from '../helpers/until.ts';
import { codeOf, deploy, openSharedStore } from './host-fixture.ts';

let lastPort = 8400;
const QUICK = { soakMs: 200 } as const;

async function startServing(name: string, ...options: string[]) {
  lastPort++;
  const port = lastPort;
  const first = pushImage(`${name}:stable`, 'v1');
  startUnit(name, `${name}:stable`, port, ...options);
  await untilServed(port, 'v1');
  return { unit: `${name}.service`, name, image: `${name}:stable`, port, first };
}

function untilServed(port: number, version: string): Promise<boolean> {
  return until(`${version} on ${port}`, 20_000, async () => (await served(port)) === version);
}

/** What is held for a unit, as `N VERSION`, the newest first. */
function listHeld(unit: string): string[] {
  const names = command('podman', 'image', 'ls', '--format', '{{.Repository}}:{{.Tag}}')
    .split('\n')
    .filter((name) => name.startsWith(`localhost/podup/rollback:${unit}-`));
  return names
    .map((name) => {
      const label = '{{index .Labels "org.opencontainers.image.version"}}';
      const version = command('podman', 'image', 'inspect', '--format', label, name).trim();
      return `${name.slice(name.lastIndexOf('-') + 1)} ${version}`;
    })
    .sort()
    .reverse();
}

describe('the way back', () => {
  test('is held for the newest images, and spared by a prune', async () => {
    const host = await startServing('held');
    for (const version of ['v2', 'v3', 'v4']) {
      pushImage(host.image, version);
      const { end } = await deploy(host.unit, { policy: QUICK });
      assert.equal(end.status, 'succeeded', JSON.stringify(end));
      command('podman', 'image', 'prune', '--force');
    }
    assert.deepEqual(listHeld(host.unit), ['3 v3', '2 v2']);
  });

  test('of a deployment that was cut off is gone on with, forwards at first', async () => {
    const host = await startServing('cut');
    const next = pushImage(host.image, 'v2');
    // As if power went while the unit is restarted.
    const cut = await deploy(host.unit, { policy: QUICK, ...dieAt('restart') });
    const again = await deploy(host.unit, { policy: QUICK, task: cut.task, attempt: 2 });
    assert.equal(again.end.status, 'succeeded', JSON.stringify(again.end));
    assert.equal(again.evidence.running_digest, next.digest);
    assert.equal(openSharedStore().deployments.find(cut.task)?.stage, 'ended');
    await untilServed(host.port, 'v2');
  });

  test('of a deployment that was cut off too often is taken, and the image is not blamed', async () => {
    const host = await startServing('tired');
    const next = pushImage(host.image, 'v2');
    const cut = await deploy(host.unit, { policy: QUICK, ...dieAt('restart') });
    command('systemctl', '--user', 'restart', host.unit);
    await untilServed(host.port, 'v2');
    const last = await deploy(host.unit, { policy: QUICK, task: cut.task, attempt: 4 });
    assert.equal(codeOf(last), 'TASK_LOST');
    await untilServed(host.port, 'v1');
    assert.equal(openSharedStore().quarantine.find(host.unit, next.digest, Date.now()), undefined);
  });

  for (const [name, end] of [
    [
      'lost',
      (id: string) => {
        const { tasks } = openSharedStore();
        tasks.finish(attemptOf(tasks, id), { status: 'failed', summary: 'Lost.', at: 1 });
      },
    ],
    [
      'force-stopped',
      (id: string) => {
        const stop = { by: 'a test', nowMs: 1, target: undefined };
        assert.ok(forceStopTask(openSharedStore(), id, stop).ok);
      },
    ],
  ] as const)
    test(`that a ${name} task has left is the one that the next task of the unit goes back to`, async () => {
      const host = await startServing(`left-${name}`);
      pushImage(host.image, 'v2');
      const cut = await deploy(host.unit, { policy: QUICK, ...dieAt('restart') });
      // Nobody has proven v2, but it runs by now; and its task is over.
      command('systemctl', '--user', 'restart', host.unit);
      await untilServed(host.port, 'v2');
      end(cut.task);
      pushImage(host.image, 'v3', '--broken');
      const next = await deploy(host.unit, { policy: QUICK });
      assert.match(next.end.summary, /was put back to sha256:/, JSON.stringify(next.end));
      await untilServed(host.port, 'v1');
      assert.equal(openSharedStore().deployments.find(cut.task)?.stage, 'ended');
    });

  test('is taken by the defaults where the policy of the unit cannot be read any more', async () => {
    const host = await startServing('lost');
    pushImage(host.image, 'v2');
    const cut = await deploy(host.unit, { policy: QUICK, ...dieAt('restart') });
    writePolicy(host.unit, 'Soak=soon');
    command('systemctl', '--user', 'daemon-reload');
    command('systemctl', '--user', 'restart', host.unit);
    await untilServed(host.port, 'v2');
    const again = await deploy(host.unit, { policy: QUICK, task: cut.task, attempt: 2 });
    assert.equal(codeOf(again), 'UNIT_POLICY_INVALID');
    assert.match(again.end.summary, /was put back to sha256:/);
    await untilServed(host.port, 'v1');
  });

  test('is tried again where podman fails for a moment', async () => {
    const host = await startServing('moment');
    pushImage(host.image, 'v2', '--broken');
    // The new image is tagged by its id as well, first.
    let tags = 0;
    const deployed = await deploy(host.unit, {
      policy: QUICK,
      run: (given) => {
        const isOurs = given.argv[1] === 'tag' && /^[0-9a-f]{64}$/.test(given.argv[2] ?? '');
        const isFirst = isOurs && !given.argv[3]?.startsWith('localhost/') && ++tags === 2;
        return runCommand(isFirst ? { ...given, argv: ['false'] } : given);
      },
    });
    assert.match(deployed.end.summary, /was put back to sha256:/, JSON.stringify(deployed.end));
    // Forward once, back twice.
    assert.equal(tags, 3);
    await untilServed(host.port, 'v1');
  });

  test('leaves nothing of a bad image, unless a tag or a container needs it', async () => {
    const isHere = (name: string) =>
      runCommand({ argv: ['podman', 'image', 'exists', name], timeoutMs: 20_000 }).then(isSuccess);
    for (const [name, isKept, need] of [
      ['unneeded', false, () => undefined],
      ['tagged', true, (image: string) => command('podman', 'tag', image, 'localhost/mine:1')],
      ['used', true, (image: string) => command('podman', 'create', image)],
    ] as const) {
      const host = await startServing(name);
      const next = pushImage(host.image, 'v2', '--broken');
      const image = `${next.repository}@${next.digest}`;
      const run: RunCommand = async (given) => {
        const result = await runCommand(given);
        if (given.argv[1] === 'pull') need(image);
        return result;
      };
      const { end } = await deploy(host.unit, { policy: QUICK, run });
      assert.match(end.summary, /was put back to sha256:/, JSON.stringify(end));
      assert.equal(await isHere(image), isKept, name);
      await untilServed(host.port, 'v1');
    }
  });

  test('is not taken where the policy says so, but the image is known to be bad', async () => {
    const host = await startServing('kept');
    const next = pushImage(host.image, 'v2', '--broken');
    const { end } = await deploy(host.unit, { policy: { ...QUICK, rollback: false } });
    assert.equal(end.status, 'failed');
    assert.equal(await served(host.port), undefined);
    assert.ok(openSharedStore().quarantine.find(host.unit, next.digest, Date.now()));
    // It is down because of a bad image: a good one is deployed all the same.
    pushImage(host.image, 'v3');
    const mended = await deploy(host.unit, { policy: QUICK });
    assert.equal(mended.end.status, 'succeeded', JSON.stringify(mended.end));
    await untilServed(host.port, 'v3');
  });

  test('that does not work either is said so, with both causes', async () => {
    const host = await startServing('hopeless');
    pushImage(host.image, 'v2', '--broken');
    const probe = { kind: 'tcp', host: '127.0.0.1', port: 1 } as const;
    const policy = { ...QUICK, probe, startTimeoutMs: 1_500 };
    const deployed = await deploy(host.unit, { policy });
    assert.equal(codeOf(deployed), 'ROLLBACK_FAILED');
    const detail = deployed.end.status === 'failed' ? deployed.end.failure.detail : '';
    assert.match(
      detail,
      /^(GATE_UNIT_\w+|RESTART_FAILED|GATE_PROBE_FAILED) .*then GATE_PROBE_FAILED/,
    );
    await untilServed(host.port, 'v1');
  });
});

/** A drop-in with a policy; systemd is not told. */
function writePolicy(unit: string, ...lines: readonly string[]): void {
  const folder = join(homedir(), '.config/systemd/user', `${unit}.d`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'policy.conf'), ['[X-PodUp]', ...lines, ''].join('\n'));
}

/** A deployment that ends before it has restarted the unit: nothing after that is done or written. */
function dieAt(verb: string) {
  return {
    isStopping: () => true,
    run: async (given: Parameters<typeof runCommand>[0]) => {
      const isVerb = given.argv.includes(verb);
      return runCommand(isVerb ? { ...given, argv: ['false'] } : given);
    },
  } as const;
}

describe('the policy of a unit', () => {
  for (const [mode, isPulled] of [
    ['observe', false],
    ['stage', true],
  ] as const) {
    test(`${mode}: the unit is not touched`, async () => {
      const host = await startServing(mode);
      const next = pushImage(host.image, 'v2');
      const { end, evidence } = await deploy(host.unit, { policy: { mode } });
      assert.equal(end.status, 'skipped', JSON.stringify(end));
      assert.equal(evidence.pulled_digest, isPulled ? next.digest : undefined);
      assert.equal(await served(host.port), 'v1');
      assert.equal(countStarts(host.unit, 'v1'), 1);
      command('systemctl', '--user', 'restart', host.unit);
      await untilServed(host.port, 'v1');
    });
  }

  test('an image that is too new waits, and is not pulled', async () => {
    const host = await startServing('young');
    pushImage(host.image, 'v2');
    const { end, evidence } = await deploy(host.unit, { policy: { minAgeMs: 3_600_000 } });
    assert.equal(end.status, 'deferred', JSON.stringify(end));
    const inMs = end.status === 'deferred' ? end.notBeforeMs - Date.now() : 0;
    assert.ok(inMs > 3_500_000 && inMs <= 3_600_000, `${inMs}`);
    assert.equal(evidence.pulled_digest, undefined);
    assert.equal(countStarts(host.unit, 'v1'), 1);
  });

  test('a unit file that systemd has not read again holds it back', async () => {
    const host = await startServing('stale');
    pushImage(host.image, 'v2');
    appendFileSync(join(homedir(), '.config/systemd/user', host.unit), '\n[X-PodUp]\nSoak=1\n');
    const deployed = await deploy(host.unit);
    assert.equal(codeOf(deployed), 'UNIT_NEEDS_RELOAD');
    command('systemctl', '--user', 'daemon-reload');
    assert.equal((await deploy(host.unit)).end.status, 'succeeded');
  });

  test('a policy that cannot be read holds it back', async () => {
    const host = await startServing('odd');
    pushImage(host.image, 'v2');
    writePolicy(host.unit, 'Soak=soon', 'Prob=x');
    command('systemctl', '--user', 'daemon-reload');
    const deployed = await deploy(host.unit);
    assert.equal(codeOf(deployed), 'UNIT_POLICY_INVALID');
    const detail = deployed.end.status === 'failed' ? deployed.end.failure.detail : '';
    assert.match(detail, /Soak.*Prob/s);
    assert.equal(countStarts(host.unit, 'v1'), 1);
  });
});
