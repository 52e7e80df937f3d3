import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HAS_QUADLET, pushImage, served } from '../helpers/lab.ts';
import {
  containerUnit,
  inFull,
  quadletContainer,
  startUnits,
  systemctl,
  untilServed,
  writeUnits,
} from '../helpers/lab-units.ts';
import { codeOf, deploy } from './host-fixture.ts';

const QUADLET_ONLY = HAS_QUADLET ? {} : { skip: 'podman 4.3 has no Quadlet' };

async function startServing(name: string, port: number): Promise<string> {
  pushImage(`${name}:stable`, 'v1');
  startUnits(containerUnit(name, { image: `${name}:stable`, port, name }), `${name}.service`);
  await untilServed(port, 'v1');
  pushImage(`${name}:stable`, 'v2');
  return `${name}.service`;
}

/** Code and detail of a deployment that failed before anything was done; `port` serves what it served. */
async function refusalOf(unit: string, port?: number): Promise<string> {
  const deployed = await deploy(unit, { policy: { soakMs: 200 } });
  const code = codeOf(deployed);
  assert.equal(deployed.phases.includes('pulling-image'), false, deployed.phases.join());
  if (port !== undefined) assert.equal(await served(port), 'v1');
  return `${code} ${deployed.end.status === 'failed' ? deployed.end.failure.detail : ''}`;
}

describe('a file that Quadlet refuses', QUADLET_ONLY, () => {
  const faulty = (name: string, port: number) => ({
    [`${name}.container`]: quadletContainer({
      image: `${name}:stable`,
      port,
      quadlet: 'Colour=blue\n',
    }),
  });

  test('is refused before a daemon-reload, for that would not help', async () => {
    const unit = await startServing('early', 9101);
    writeUnits(faulty('early', 9101));
    assert.match(await refusalOf(unit, 9101), /^QUADLET_INVALID .*early\.container: .*Colour/);
  });

  test('is refused after a daemon-reload, when systemd knows it no more', async () => {
    const unit = await startServing('late', 9102);
    writeUnits(faulty('late', 9102));
    systemctl('daemon-reload');
    assert.match(await refusalOf(unit, 9102), /^QUADLET_INVALID .*late\.container: .*Colour/);
  });

  test('of another unit does not matter', async () => {
    const unit = await startServing('fine', 9103);
    const { end } = await deploy(unit, { policy: { soakMs: 200 } });
    assert.equal(end.status, 'succeeded', JSON.stringify(end));
    // Its name ends like that of a faulty one.
    assert.match(await refusalOf('ate.service'), /^UNIT_NOT_FOUND /);
  });
});

test('a unit file that systemd has not read again holds the deployment back', async () => {
  const unit = await startServing('moved', 9111);
  writeUnits(containerUnit('moved', { image: 'moved:beta', port: 9111, name: 'moved' }));
  assert.match(await refusalOf(unit, 9111), /^UNIT_NEEDS_RELOAD /);
  writeUnits(containerUnit('moved', { image: 'moved:stable', port: 9111, name: 'moved' }));
  systemctl('daemon-reload');
  const { end } = await deploy(unit, { policy: { soakMs: 200 } });
  assert.equal(end.status, 'succeeded', JSON.stringify(end));
});

test('an image that is named by its digest is refused, and said in full', async () => {
  const { digest } = pushImage('pinned:stable', 'v1');
  const image = inFull(`pinned:stable@${digest}`);
  startUnits(containerUnit('pinned', { image, port: 9121, name: 'pinned' }), 'pinned.service');
  await untilServed(9121, 'v1');
  pushImage('pinned:stable', 'v2');
  assert.equal(await refusalOf('pinned.service', 9121), `UNIT_IMAGE_PINNED It runs ${image}.`);
});
