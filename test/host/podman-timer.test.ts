import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { releaseQuarantined } from '../../app/tasks/timer-guards.ts';
import { runCommand } from '../../shared/process/run-command.ts';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { until } from '../helpers/until.ts';
import { codeOf, deploy, onHost, openSharedStore } from './host-fixture.ts';

const QUICK = { policy: { soakMs: 200 } } as const;

function untilServed(port: number, version: string): Promise<boolean> {
  return until(`${version} on ${port}`, 20_000, async () => (await served(port)) === version);
}

/** What the timer does when its time has come; whether all went well. */
async function runTimer(): Promise<boolean> {
  const argv = ['systemctl', '--user', 'start', 'podman-auto-update.service'] as const;
  const { end } = await runCommand({ argv, timeoutMs: 120_000 });
  return end.kind === 'exited' && end.code === 0;
}

const containerOf = (name: string) =>
  command('podman', 'ps', '--no-trunc', '-qf', `name=^${name}$`);

function guardOf(unit: string): string | null {
  const store = openSharedStore();
  const rows = store.quarantine.listGuards(Date.now());
  return rows.find((row) => row.unit === unit)?.guard ?? null;
}

async function startServing(name: string, port: number) {
  pushImage(`${name}:stable`, 'v1');
  startUnit(name, `${name}:stable`, port);
  await untilServed(port, 'v1');
}

describe('the timer of podman', () => {
  test('leaves a unit alone whose image is in quarantine, and updates the others', async () => {
    await startServing('kept', 8801);
    await startServing('free', 8802);
    pushImage('kept:stable', 'v2', '--broken');
    assert.match(codeOf(await deploy('kept.service', QUICK)), /./);
    await untilServed(8801, 'v1');
    const before = containerOf('kept');
    const guard = guardOf('kept.service');
    assert.ok(guard !== null && existsSync(guard), String(guard));
    pushImage('free:stable', 'v2');
    await runTimer();
    await untilServed(8802, 'v2');
    assert.equal(containerOf('kept'), before);
    assert.equal(await served(8801), 'v1');
  });

  test('updates it again once it has another image', async () => {
    const guard = guardOf('kept.service') ?? '';
    pushImage('kept:stable', 'v3');
    assert.equal((await deploy('kept.service', QUICK)).end.status, 'succeeded');
    assert.equal(existsSync(guard), false);
    assert.equal(guardOf('kept.service'), null);
    pushImage('kept:stable', 'v4');
    assert.equal(await runTimer(), true);
    await untilServed(8801, 'v4');
  });

  test('updates it again once a person has released the image', async () => {
    const push = pushImage('kept:stable', 'v5', '--broken');
    assert.match(codeOf(await deploy('kept.service', QUICK)), /./);
    const guard = guardOf('kept.service') ?? '';
    assert.equal(existsSync(guard), true);
    const store = openSharedStore();
    const { released, guards } = await releaseQuarantined(
      store,
      onHost,
      'kept.service',
      push.digest,
    );
    assert.deepEqual([released, guards.ok], [1, true]);
    assert.equal(existsSync(guard), false);
    await untilServed(8801, 'v4');
    command('systemctl', '--user', 'restart', 'kept.service');
    await untilServed(8801, 'v4');
    pushImage('kept:stable', 'v6');
    assert.equal(await runTimer(), true);
    await untilServed(8801, 'v6');
  });

  test('has no guard against it where it does not update the unit anyway', async () => {
    await startServing('plain', 8803);
    const path = command('systemctl', '--user', 'show', '--value', '-P', 'FragmentPath', 'plain');
    const source = command('systemctl', '--user', 'show', '--value', '-P', 'SourcePath', 'plain');
    const file = source.trim() === '' ? path.trim() : source.trim();
    const pattern = 's/--label io.containers.autoupdate=registry//; s/^AutoUpdate=registry$//';
    command('sed', '-i', pattern, file);
    command('systemctl', '--user', 'daemon-reload');
    command('systemctl', '--user', 'restart', 'plain');
    await untilServed(8803, 'v1');
    pushImage('plain:stable', 'v2', '--broken');
    assert.match(codeOf(await deploy('plain.service', QUICK)), /./);
    assert.equal(guardOf('plain.service'), null);
    await untilServed(8803, 'v1');
  });
});
