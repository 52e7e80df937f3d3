import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rollbackName } from '../../app/domain/rollback-tag.ts';
import { command, HAS_QUADLET, pushImage, served } from '../helpers/lab.ts';
import {
  containerUnit,
  inFull,
  runLine,
  startUnits,
  systemctl,
  type UnitFiles,
  untilServed,
  writeUnits,
} from '../helpers/lab-units.ts';
import { codeOf, deploy } from './host-fixture.ts';

const QUICK = { policy: { soakMs: 200 } } as const;

describe('instances of a template', () => {
  test('are deployed one by one', async () => {
    pushImage('app:stable', 'v1');
    const files = containerUnit('app@', { image: 'app:stable', port: '90%i', name: 'app-%i' });
    startUnits(files, 'app@11.service', 'app@12.service');
    await Promise.all([untilServed(9011, 'v1'), untilServed(9012, 'v1')]);
    pushImage('app:stable', 'v2');
    const first = await deploy('app@11.service', QUICK);
    assert.equal(first.end.status, 'succeeded', JSON.stringify(first));
    assert.deepEqual([await served(9011), await served(9012)], ['v2', 'v1']);
    const second = await deploy('app@12.service', QUICK);
    assert.equal(second.end.status, 'succeeded', JSON.stringify(second));
    await untilServed(9012, 'v2');
  });

  test('share what failed for one of them', async () => {
    pushImage('app:stable', 'v3', '--broken');
    const first = await deploy('app@11.service', QUICK);
    assert.match(first.end.summary, /was put back to sha256:/, JSON.stringify(first));
    await untilServed(9011, 'v2');
    const before = systemctl('show', '--value', '-P', 'InvocationID', 'app@12.service');
    const second = await deploy('app@12.service', QUICK);
    assert.equal(second.end.status, 'skipped', JSON.stringify(second));
    assert.match(second.end.summary, /failed for app@11\.service/);
    assert.equal(systemctl('show', '--value', '-P', 'InvocationID', 'app@12.service'), before);
    assert.equal(await served(9012), 'v2');
  });
});

test('an instance whose name is escaped is deployed and put back', async () => {
  const unit = 'odd@a\\x2db:c.service';
  pushImage('odd:stable', 'v1');
  const quadlet = 'ContainerName=odd\n';
  startUnits(
    containerUnit('odd@', { image: 'odd:stable', port: 9021, name: 'odd', quadlet }),
    unit,
  );
  await untilServed(9021, 'v1');
  pushImage('odd:stable', 'v2');
  const good = await deploy(unit, QUICK);
  assert.equal(good.end.status, 'succeeded', JSON.stringify(good));
  await untilServed(9021, 'v2');
  command('podman', 'image', 'exists', rollbackName(unit, 1));
  pushImage('odd:stable', 'v3', '--broken');
  const bad = await deploy(unit, QUICK);
  assert.match(bad.end.summary, /was put back to sha256:/, JSON.stringify(bad));
  await untilServed(9021, 'v2');
});

test('each instance has the image that its name names', async () => {
  for (const tag of ['31', '32']) pushImage(`spec:${tag}`, 'v1');
  const image = inFull('spec:%i');
  const files = containerUnit('spec@', { image, port: '90%i', name: 'spec-%i' });
  startUnits(files, 'spec@31.service', 'spec@32.service');
  await Promise.all([untilServed(9031, 'v1'), untilServed(9032, 'v1')]);
  pushImage('spec:31', 'v2');
  const [first, second] = [
    await deploy('spec@31.service', QUICK),
    await deploy('spec@32.service', QUICK),
  ];
  assert.equal(first.end.status, 'succeeded', JSON.stringify(first));
  assert.equal(first.evidence.image, inFull('spec:31'));
  assert.match(second.end.summary, /already/, JSON.stringify(second));
  await untilServed(9031, 'v2');
});

describe('a drop-in that changes the image', () => {
  /** A drop-in of Quadlet's file, or one for systemd. */
  const dropIn = (image: string): UnitFiles =>
    HAS_QUADLET
      ? { 'drop.container.d/10-image.conf': `[Container]\nImage=${inFull(image)}\n` }
      : {
          'drop.service.d/10-image.conf': `[Service]\nExecStart=\nExecStart=${runLine({ image, port: 9041, name: 'drop' })}\n`,
        };

  test('is what counts', async () => {
    pushImage('drop:stable', 'v1');
    pushImage('drop:beta', 'b1');
    const files = containerUnit('drop', { image: 'drop:stable', port: 9041, name: 'drop' });
    startUnits({ ...files, ...dropIn('drop:beta') }, 'drop.service');
    await untilServed(9041, 'b1');
    pushImage('drop:beta', 'b2');
    const deployed = await deploy('drop.service', QUICK);
    assert.equal(deployed.end.status, 'succeeded', JSON.stringify(deployed));
    assert.equal(deployed.evidence.image, inFull('drop:beta'));
    await untilServed(9041, 'b2');
  });

  test('holds the deployment back until systemd has read it', async () => {
    writeUnits(dropIn('drop:gamma'));
    pushImage('drop:gamma', 'g1');
    pushImage('drop:beta', 'b3');
    assert.equal(codeOf(await deploy('drop.service', QUICK)), 'UNIT_NEEDS_RELOAD');
    assert.equal(await served(9041), 'b2');
    systemctl('daemon-reload');
    const deployed = await deploy('drop.service', QUICK);
    assert.equal(deployed.end.status, 'succeeded', JSON.stringify(deployed));
    await untilServed(9041, 'g1');
  });
});
