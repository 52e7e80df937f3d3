import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { command, countStarts, pushImage, served } from '../helpers/lab.ts';
import {
  containerUnit,
  inFull,
  startUnits,
  systemctl,
  untilServed,
  writeUnits,
} from '../helpers/lab-units.ts';
import { codeOf, deploy, openSharedStore, recordRuns } from './host-fixture.ts';

const QUICK = { policy: { soakMs: 300 }, isRestart: true } as const;

const containerOf = (unit: string) =>
  command('podman', 'ps', '--no-trunc', '-q', '--filter', `label=PODMAN_SYSTEMD_UNIT=${unit}`);

async function startServing(name: string, port: number): Promise<string> {
  pushImage(`${name}:stable`, 'v1');
  startUnits(containerUnit(name, { image: `${name}:stable`, port }), `${name}.service`);
  await untilServed(port, 'v1');
  return `${name}.service`;
}

describe('a restart at the word of a person', () => {
  test('pulls nothing, asks no registry, and proves that the unit serves', async () => {
    const unit = await startServing('plain', 8901);
    const before = containerOf(unit);
    pushImage('plain:stable', 'v2');
    const { run, count, results } = recordRuns();
    const { end, verdicts, evidence, phases } = await deploy(unit, { ...QUICK, run });
    assert.equal(end.status, 'succeeded', JSON.stringify(end));
    assert.notEqual(containerOf(unit), before);
    assert.equal(await served(8901), 'v1');
    assert.equal(count('podman', 'pull'), 0);
    assert.equal(count('podman', 'tag'), 0);
    assert.equal(results.filter(({ argv }) => argv.includes('restart')).length, 1);
    assert.deepEqual(
      verdicts.map(({ part, failure }) => [part, failure]),
      [
        ['start', null],
        ['soak', null],
        ['digest', null],
      ],
    );
    assert.match(evidence.running_digest ?? '', /^sha256:/);
    assert.deepEqual(phases, ['reading-unit', 'restarting', 'verifying']);
  });

  test('starts a unit that is stopped', async () => {
    systemctl('stop', 'plain.service');
    const { end } = await deploy('plain.service', QUICK);
    assert.equal(end.status, 'succeeded', JSON.stringify(end));
    assert.equal(await served(8901), 'v1');
  });

  test('brings back what was active and depends on the unit', async () => {
    const other = '[Unit]\nRequires=plain.service\nAfter=plain.service\n';
    const files = { 'needs.service': `${other}[Service]\nExecStart=/bin/sleep infinity\n` };
    startUnits(files, 'needs.service');
    const { end } = await deploy('plain.service', QUICK);
    assert.equal(end.status, 'succeeded', JSON.stringify(end));
    assert.equal(systemctl('is-active', 'needs.service'), 'active');
  });

  test('of a unit that does not come up fails, and blames no image', async () => {
    const unit = await startServing('sick', 8902);
    writeUnits({
      'sick.service.d/break.conf':
        '[Service]\nRestart=no\nExecStartPost=/bin/sh -c "test ! -e %t/sick"\n',
    });
    systemctl('daemon-reload');
    const runtime = process.env['XDG_RUNTIME_DIR'] ?? '';
    command('touch', `${runtime}/sick`);
    assert.match(codeOf(await deploy(unit, QUICK)), /^(RESTART_FAILED|GATE_UNIT_DOWN)$/);
    const bad = openSharedStore().quarantine.list(Date.now());
    assert.deepEqual(
      bad.filter((row) => row.unit === unit),
      [],
    );
    command('rm', `${runtime}/sick`);
    assert.equal((await deploy(unit, QUICK)).end.status, 'succeeded');
    assert.equal(await served(8902), 'v1');
  });

  test('whose name means another image by now brings that, and goes back where it is bad', async () => {
    const unit = await startServing('moved', 8903);
    const image = inFull('moved:stable');
    pushImage('moved:stable', 'v2');
    command('podman', 'pull', '--quiet', image);
    const good = await deploy(unit, QUICK);
    assert.equal(good.end.status, 'succeeded', JSON.stringify(good.end));
    assert.equal(await served(8903), 'v2');
    pushImage('moved:stable', 'v3', '--broken');
    command('podman', 'pull', '--quiet', image);
    assert.match(codeOf(await deploy(unit, QUICK)), /^GATE_/);
    await untilServed(8903, 'v2');
    const starts = countStarts(unit, 'v3');
    // It is in quarantine now, and the name means the former one again.
    command('podman', 'pull', '--quiet', image);
    const refused = await deploy(unit, QUICK);
    assert.equal(refused.end.status, 'skipped', JSON.stringify(refused.end));
    assert.equal(countStarts(unit, 'v3'), starts);
    assert.equal(await served(8903), 'v2');
  });

  test('of a service without a container is watched by what systemd says of it', async () => {
    startUnits({ 'bare.service': '[Service]\nExecStart=/bin/sleep infinity\n' }, 'bare.service');
    const pid = systemctl('show', '--value', '-P', 'MainPID', 'bare.service');
    const { end } = await deploy('bare.service', QUICK);
    assert.equal(end.status, 'succeeded', JSON.stringify(end));
    assert.notEqual(systemctl('show', '--value', '-P', 'MainPID', 'bare.service'), pid);
  });

  test('of a unit that is not there fails, and nothing is restarted', async () => {
    const { run, results } = recordRuns();
    assert.equal(codeOf(await deploy('nobody.service', { ...QUICK, run })), 'UNIT_NOT_FOUND');
    assert.equal(results.filter(({ argv }) => argv.includes('restart')).length, 0);
  });
});
