import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunCommand } from '../../shared/process/run-command.ts';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { systemctl } from '../helpers/lab-units.ts';
import { until } from '../helpers/until.ts';
import { deploy, onHost, openSharedStore } from './host-fixture.ts';

const UNITS = [
  { name: 'base', port: 9501 },
  { name: 'upper', port: 9502 },
] as const;

const untilServed = (port: number, version: string) =>
  until(`${version} on ${port}`, 30_000, async () => (await served(port)) === version);

describe('two units that are restarted together', () => {
  test('are deployed one after the other, and neither image is blamed for the other', async () => {
    for (const { name, port } of UNITS) {
      pushImage(`${name}:stable`, 'v1');
      startUnit(name, `${name}:stable`, port);
    }
    const folder = `${process.env['HOME']}/.config/systemd/user/upper.service.d`;
    command('mkdir', '-p', folder);
    command(
      'sh',
      '-c',
      `printf '[Unit]\\nRequires=base.service\\nAfter=base.service\\n' > ${folder}/needs.conf`,
    );
    systemctl('daemon-reload');
    systemctl('restart', 'upper.service');
    for (const { port } of UNITS) await untilServed(port, 'v1');
    const pushes = UNITS.map(({ name }) => pushImage(`${name}:stable`, 'v2'));
    // The one below is begun while the one above has to go on unchanged.
    const { promise: isUp, resolve } = Promise.withResolvers<void>();
    const run: RunCommand = async (given) => {
      const result = await onHost(given);
      if (given.argv.includes('restart')) resolve();
      return result;
    };
    const upper = deploy('upper.service', { policy: { soakMs: 6_000 }, run });
    await isUp;
    const base = deploy('base.service', { policy: { soakMs: 200 } });
    const deployed = await Promise.all([base, upper]);
    assert.deepEqual(
      deployed.map(({ end }) => end.status),
      ['succeeded', 'succeeded'],
      JSON.stringify(deployed.map(({ end, verdicts }) => [end, verdicts])),
    );
    for (const { port } of UNITS) await untilServed(port, 'v2');
    const { quarantine } = openSharedStore();
    for (const [index, { name }] of UNITS.entries()) {
      const digest = pushes[index]?.digest ?? '';
      assert.equal(quarantine.find(`${name}.service`, digest, Date.now()), undefined);
    }
  });
});
