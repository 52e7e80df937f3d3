import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { command, HAS_QUADLET, pushImage, served } from '../helpers/lab.ts';
import {
  containerUnit,
  handWritten,
  inFull,
  quadletContainer,
  startUnits,
  systemctl,
  untilServed,
} from '../helpers/lab-units.ts';
import { codeOf, deploy, openSharedStore } from './host-fixture.ts';

const QUICK = { policy: { soakMs: 200 } } as const;
const QUADLET_ONLY = HAS_QUADLET ? {} : { skip: 'podman 4.3 has no Quadlet' };

/** Code and detail of a deployment that failed before anything was done. */
async function refusalOf(unit: string): Promise<{ code: string; detail: string }> {
  const deployed = await deploy(unit, QUICK);
  const code = codeOf(deployed);
  assert.equal(deployed.phases.includes('holding-image'), false, deployed.phases.join());
  return { code, detail: deployed.end.status === 'failed' ? deployed.end.failure.detail : '' };
}

/** Makes `localhost/NAME:latest` of what a push has brought, as a build does; its local id. */
function build(name: string, version: string, ...options: readonly string[]): string {
  pushImage(`${name}-built:stable`, version, ...options);
  const from = inFull(`${name}-built:stable`);
  command('podman', 'pull', '--quiet', from);
  command('podman', 'tag', from, `localhost/${name}:latest`);
  command('podman', 'untag', from, from);
  return idOf(`localhost/${name}:latest`);
}

const idOf = (image: string) =>
  command('podman', 'image', 'inspect', '--format', '{{.Id}}', image).trim();

describe('what podman plays from a file', () => {
  const YAML = `apiVersion: v1
kind: Pod
metadata: { name: play }
spec:
  containers:
    - { name: one, image: ${inFull('play:stable')} }
`;

  for (const verb of ['kube play', 'play kube']) {
    test(`podman ${verb} is refused, and named`, async () => {
      const name = verb.replace(' ', '-');
      const run = `/usr/bin/podman ${verb} ${join(homedir(), 'play.yml')}`;
      startUnits({ [`${name}.service`]: `[Service]\nExecStart=${run}\n` });
      const { code, detail } = await refusalOf(`${name}.service`);
      assert.equal(code, 'UNIT_KIND_UNSUPPORTED');
      assert.match(detail, new RegExp(`^It runs podman ${verb}: `));
    });
  }

  test('a .kube file is refused while it runs, and goes on', QUADLET_ONLY, async () => {
    pushImage('play:stable', 'v1');
    writeFileSync(join(homedir(), 'play.yml'), YAML);
    startUnits({ 'play.kube': `[Kube]\nYaml=${join(homedir(), 'play.yml')}\n` }, 'play.service');
    const { code, detail } = await refusalOf('play.service');
    assert.equal(code, 'UNIT_KIND_UNSUPPORTED');
    assert.match(detail, /^It runs podman kube play: /);
    assert.equal(systemctl('is-active', 'play.service'), 'active');
    systemctl('stop', 'play.service');
  });
});

test('a .image file is refused, and its unit named', QUADLET_ONLY, async () => {
  pushImage('puller:stable', 'v1');
  const files = {
    'puller.image': `[Image]\nImage=${inFull('puller:stable')}\n`,
    'pulled.container': quadletContainer({ image: 'puller.image', port: 8901 }),
  };
  startUnits(files, 'pulled.service');
  const { code, detail } = await refusalOf('pulled.service');
  assert.equal(code, 'UNIT_PULLS_ITSELF');
  assert.match(detail, /puller-image\.service/);
  systemctl('stop', 'pulled.service');
});

describe('an image that was built here', () => {
  test('is taken as it is now, without a registry', async () => {
    build('made', 'v1');
    startUnits(containerUnit('made', { image: 'localhost/made', port: 8911 }), 'made.service');
    await untilServed(8911, 'v1');
    const id = build('made', 'v2');
    systemctl('stop', 'lab-registry.service');
    try {
      const deployed = await deploy('made.service', { ...QUICK, isManual: true });
      assert.equal(deployed.end.status, 'succeeded', JSON.stringify(deployed));
      assert.equal(deployed.phases.includes('pulling-image'), false);
    } finally {
      systemctl('start', 'lab-registry.service');
    }
    await untilServed(8911, 'v2');
    assert.equal(idOf('localhost/made:latest'), id);
  });

  test('is taken back where it is bad, and not tried again', async () => {
    const id = build('made', 'v3', '--broken');
    const deployed = await deploy('made.service', { ...QUICK, isManual: true });
    assert.match(deployed.end.summary, /was put back to sha256:/, JSON.stringify(deployed));
    await untilServed(8911, 'v2');
    assert.ok(openSharedStore().quarantine.find('made.service', id, Date.now()));
    command('podman', 'tag', id, 'localhost/made:latest');
    const again = await deploy('made.service', { ...QUICK, isManual: true });
    assert.equal(again.end.status, 'skipped', JSON.stringify(again));
    assert.match(again.end.summary, /IMAGE_QUARANTINED|failed for this unit/);
  });

  test('by a .build file, too', QUADLET_ONLY, async () => {
    const from = (version: string) => {
      pushImage(`base-${version}:stable`, version);
      writeFileSync(join(homedir(), 'Containerfile'), `FROM ${inFull(`base-${version}:stable`)}\n`);
    };
    from('v1');
    const files = {
      'own.build': `[Build]\nImageTag=localhost/own:latest\nFile=${join(homedir(), 'Containerfile')}\nSetWorkingDirectory=${homedir()}\n`,
      'own.container': quadletContainer({ image: 'own.build', port: 8921 }),
    };
    startUnits(files, 'own.service');
    await untilServed(8921, 'v1');
    from('v2');
    // A restart of own-build.service would restart what requires it, too.
    const file = join(homedir(), 'Containerfile');
    command('podman', 'build', '--quiet', '--tag', 'localhost/own:latest', '--file', file);
    const deployed = await deploy('own.service', { ...QUICK, isManual: true });
    assert.equal(deployed.end.status, 'succeeded', JSON.stringify(deployed));
    await untilServed(8921, 'v2');
  });
});

test('a unit with a helper of the same image has both on the new one, and both back', async () => {
  pushImage('twin:stable', 'v1');
  const image = inFull('twin:stable');
  const helper = `ExecStartPre=/usr/bin/podman run -d --sdnotify=ignore --replace --rm --name twin-helper -p 127.0.0.1:8932:8080 ${image}\nExecStopPost=/usr/bin/podman rm -f --ignore -t 0 twin-helper\n`;
  startUnits(
    { 'twin.service': handWritten({ image, port: 8931, name: 'twin', service: helper }) },
    'twin.service',
  );
  await Promise.all([untilServed(8931, 'v1'), untilServed(8932, 'v1')]);
  pushImage('twin:stable', 'v2');
  const good = await deploy('twin.service', QUICK);
  assert.equal(good.end.status, 'succeeded', JSON.stringify(good));
  assert.deepEqual([await served(8931), await served(8932)], ['v2', 'v2']);
  pushImage('twin:stable', 'v3', '--broken');
  const bad = await deploy('twin.service', QUICK);
  assert.match(bad.end.summary, /was put back to sha256:/, JSON.stringify(bad));
  await Promise.all([untilServed(8931, 'v2'), untilServed(8932, 'v2')]);
});

test('a unit whose helper keeps the image of before is not taken for updated', async () => {
  pushImage('stale:stable', 'v1');
  const image = inFull('stale:stable');
  const helper = `ExecStartPre=/bin/sh -c 'podman start stale-helper || podman run -d --sdnotify=ignore --name stale-helper ${image}'\n`;
  startUnits(
    { 'stale.service': handWritten({ image, port: 8941, name: 'stale', service: helper }) },
    'stale.service',
  );
  await untilServed(8941, 'v1');
  pushImage('stale:stable', 'v2');
  const deployed = await deploy('stale.service', QUICK);
  assert.equal(codeOf(deployed), 'RUNNING_DIGEST_MISMATCH');
  await untilServed(8941, 'v1');
});

test('a helper that keeps the new image is told, where the unit goes back', async () => {
  pushImage('keep:stable', 'v1');
  const image = inFull('keep:stable');
  const run = `podman run -d --sdnotify=ignore --name keep-helper ${image}`;
  const helper = `ExecStartPre=/bin/sh -c 'podman start keep-helper || ${run}'\n`;
  startUnits(
    { 'keep.service': handWritten({ image, port: 8951, name: 'keep', service: helper }) },
    'keep.service',
  );
  await untilServed(8951, 'v1');
  pushImage('keep:stable', 'v2');
  // The next start makes the helper anew, the one after that does not.
  command('podman', 'rm', '--force', '--time=0', 'keep-helper');
  const deployed = await deploy('keep.service', {
    policy: { soakMs: 200, logMustNot: 'version v2' },
  });
  assert.equal(codeOf(deployed), 'ROLLBACK_FAILED');
  const detail = deployed.end.status === 'failed' ? deployed.end.failure.detail : '';
  assert.match(detail, /^GATE_LOG_FORBIDDEN .*, then RUNNING_DIGEST_MISMATCH /);
});
