import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { rollbackName } from '../../app/domain/rollback-tag.ts';
import { command, pushImage, served, startUnit } from '../helpers/lab.ts';
import { inFull, systemctl, untilServed } from '../helpers/lab-units.ts';
import { codeOf, deploy } from './host-fixture.ts';

const UNIT = 'web.service';
const PORT = 9201;

/** A version that a person has chosen. */
const choose = (version: string, unit = UNIT) =>
  deploy(unit, { version, isManual: true, policy: { soakMs: 200 } });
/** What a webhook brings about. */
const take = (unit = UNIT) => deploy(unit, { policy: { soakMs: 200 } });

type Deployed = Awaited<ReturnType<typeof deploy>>;

async function assertRuns(deployed: Deployed, version: string): Promise<void> {
  assert.equal(deployed.end.status, 'succeeded', JSON.stringify(deployed));
  await untilServed(PORT, version);
  // What the unit's own tag means is what runs: a restart leaves it at that.
  const tagged = command('podman', 'image', 'inspect', '--format', '{{.Id}}', inFull('web:stable'));
  const running = command('podman', 'container', 'inspect', '--format', '{{.Image}}', 'web');
  assert.equal(running, tagged);
}

/** A deployment that was refused before anything was done; `version` runs as before. */
async function assertRefused(deployed: Deployed, code: string, version: string): Promise<void> {
  assert.equal(codeOf(deployed), code);
  assert.equal(deployed.phases.includes('pulling-image'), false, deployed.phases.join());
  assert.equal(deployed.phases.includes('holding-image'), false, deployed.phases.join());
  assert.equal(await served(PORT), version);
}

/** The name under which a version is held for the unit. */
function heldAs(version: string): string {
  const label = '{{index .Labels "org.opencontainers.image.version"}}';
  const found = command('podman', 'image', 'ls', '--format', '{{.Repository}}:{{.Tag}}')
    .split('\n')
    .filter((name) => name.startsWith(rollbackName(UNIT, 1).replace(/1$/, '')))
    .find(
      (name) => command('podman', 'image', 'inspect', '--format', label, name).trim() === version,
    );
  return found ?? assert.fail(`${version} is not held`);
}

before(async () => {
  pushImage('web:v1', 'v1');
  pushImage('web:stable', 'v1');
  startUnit('web', 'web:stable', PORT);
  await untilServed(PORT, 'v1');
  pushImage('web:stable', 'v2');
  await assertRuns(await take(), 'v2');
});

describe('a version that a person chooses', () => {
  test('is a tag, and the next push takes what the own tag of the unit means', async () => {
    await assertRuns(await choose(':v1'), 'v1');
    await assertRuns(await take(), 'v2');
  });

  test('is a digest of the repository', async () => {
    const { digest } = pushImage('web:other', 'v3');
    const deployed = await choose(inFull(`web@${digest}`));
    await assertRuns(deployed, 'v3');
    assert.equal(deployed.evidence.running_digest, digest);
    await assertRuns(await take(), 'v2');
  });

  test('is not what its tag means later', async () => {
    await assertRuns(await choose('v1'), 'v1');
    await assertRuns(await choose(inFull('web:stable')), 'v2');
  });

  test('is taken back where it is bad, and not tried again', async () => {
    const { digest } = pushImage('web:bad', 'v9', '--broken');
    const bad = await choose(':bad');
    assert.match(bad.end.summary, /was put back to sha256:/, JSON.stringify(bad));
    await untilServed(PORT, 'v2');
    const again = await choose(digest);
    assert.equal(again.end.status, 'skipped', JSON.stringify(again));
    assert.match(again.end.summary, /failed for web\.service/);
    assert.equal(await served(PORT), 'v2');
  });

  test('is none of another repository', async () => {
    pushImage('foreign:v1', 'f1');
    await assertRefused(await choose(inFull('foreign:v1')), 'VERSION_NOT_OF_UNIT', 'v2');
    await assertRefused(await choose('docker.io/library/web:v1'), 'VERSION_NOT_OF_UNIT', 'v2');
  });

  test('is none that the registry does not have', async () => {
    await assertRefused(await choose(':nothing'), 'REGISTRY_IMAGE_NOT_FOUND', 'v2');
    const digest = `sha256:${'0'.repeat(64)}`;
    await assertRefused(await choose(digest), 'REGISTRY_IMAGE_NOT_FOUND', 'v2');
  });
});

describe('a held version', () => {
  before(() => systemctl('stop', 'lab-registry.service'));
  after(() => systemctl('start', 'lab-registry.service'));

  test('is gone back to without a registry, forth as well', async () => {
    const deployed = await choose(heldAs('v1'));
    await assertRuns(deployed, 'v1');
    assert.equal(deployed.phases.includes('pulling-image'), false);
    await assertRuns(await choose(heldAs('v2')), 'v2');
  });

  test('is through the same gate', async () => {
    const policy = { soakMs: 200, logMustNot: 'version v1' };
    const deployed = await deploy(UNIT, { version: heldAs('v1'), isManual: true, policy });
    assert.equal(codeOf(deployed), 'GATE_LOG_FORBIDDEN');
    assert.match(deployed.end.summary, /was put back to sha256:/);
    await untilServed(PORT, 'v2');
  });

  test('of another unit is refused, and so is one that is not there', async () => {
    const other = rollbackName('other.service', 1);
    command('podman', 'tag', inFull('web:stable'), other);
    await assertRefused(await choose(other), 'VERSION_NOT_OF_UNIT', 'v2');
    await assertRefused(await choose(rollbackName(UNIT, 99)), 'VERSION_NOT_OF_UNIT', 'v2');
  });
});

test('after going back by hand the next push takes what the tag means', async () => {
  pushImage('web:stable', 'v4');
  await assertRuns(await take(), 'v4');
  await assertRuns(await choose(heldAs('v2')), 'v2');
  await assertRuns(await take(), 'v4');
});
