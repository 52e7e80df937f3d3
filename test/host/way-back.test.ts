import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { systemctl } from '../helpers/lab-units.ts';
import { until } from '../helpers/until.ts';
import { deploy } from './host-fixture.ts';

const UNIT = 'web.service';
const PORT = 9401;
const QUICK = { policy: { soakMs: 200 } } as const;

const untilServed = (version: string) =>
  until(version, 20_000, async () => (await served(PORT)) === version);

describe('the way back', () => {
  test('is not an image that nobody has seen serve, where an older one is held', async () => {
    pushImage('web:stable', 'v1');
    startUnit('web', 'web:stable', PORT);
    await untilServed('v1');
    systemctl('stop', UNIT);
    pushImage('web:stable', 'v2', '--broken');
    const { end } = await deploy(UNIT, QUICK);
    assert.match(end.summary, /is stopped; .* runs at its next start/);
    // A person starts what nobody has proven.
    systemctl('start', '--no-block', UNIT);
    await until('it crashes', 20_000, () => {
      const state = command('systemctl', '--user', 'show', '-P', 'NRestarts', UNIT);
      return Promise.resolve(Number(state) > 1);
    });
    pushImage('web:stable', 'v3', '--broken');
    const bad = await deploy(UNIT, QUICK);
    assert.match(bad.end.summary, /was put back to sha256:/, JSON.stringify(bad.end));
    await untilServed('v1');
  });

  test('leaves an image alone that was here before it was tried', async () => {
    const digest = pushImage('web:stable', 'v4', '--broken').digest;
    const name = `127.0.0.1:5000/web@${digest}`;
    command('podman', 'pull', '--quiet', name);
    const bad = await deploy(UNIT, QUICK);
    assert.match(bad.end.summary, /was put back to sha256:/, JSON.stringify(bad.end));
    command('podman', 'image', 'exists', name);
  });
});
