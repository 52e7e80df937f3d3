import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { mergeMarks, UNIT_SOURCES } from '../../app/domain/found-unit.ts';
import { policyDefaults } from '../../app/domain/unit-policy.ts';
import { openLocalHost } from '../../app/host/open-host.ts';
import { sweepUnits } from '../../app/units/sweep-units.ts';
import { DEPLOY_SETTINGS } from '../helpers/deploy-settings.ts';
import { command, HAS_QUADLET, pushImage } from '../helpers/lab.ts';
import { inFull, startUnits, systemctl } from '../helpers/lab-units.ts';
import { until } from '../helpers/until.ts';

const IMAGE = inFull('found:stable');
const QUADLETS = join(homedir(), '.config/containers/systemd');
const UNITS = join(homedir(), '.config/systemd/user');
const host = openLocalHost('user', process.env);

/** What each place shows of the units of this test, as `SOURCE image marks`, where `a`, `p`, `y`, `n` are marks. */
async function look(): Promise<Readonly<Record<string, readonly string[]>>> {
  const { sweep } = await sweepUnits({
    ...{ host, defaults: policyDefaults(DEPLOY_SETTINGS) },
    signal: new AbortController().signal,
  });
  const rows = UNIT_SOURCES.flatMap((source) => {
    const came = sweep[source];
    assert.ok(came.ok, JSON.stringify(came));
    return came.value.map((unit) => ({ ...unit, source }));
  });
  const found = Map.groupBy(rows, ({ unit }) => unit);
  return Object.fromEntries(
    [...found].map(([unit, places]) => {
      const { isAutoUpdated, hasPolicy, webhookEnabled } = mergeMarks(places);
      const hooks = webhookEnabled === null ? '' : webhookEnabled ? 'y' : 'n';
      const marks = `${isAutoUpdated ? 'a' : ''}${hasPolicy ? 'p' : ''}${hooks}`;
      return [unit.replace('.service', ''), [...places.map(({ source }) => source), marks]];
    }),
  );
}

function handWritten(options: string, rest = ''): string {
  return `[Service]\nEnvironment=PODMAN_SYSTEMD_UNIT=%n\nExecStart=/usr/bin/podman run --rm ${options} ${IMAGE}\n${rest}`;
}

describe('units of a host', () => {
  before(() => {
    pushImage('found:stable', 'v1');
  });

  test('are services that start a container, and no others', async () => {
    startUnits({
      'hand.service': handWritten('--label io.containers.autoupdate=registry'),
      'hand.service.d/10-policy.conf': '[X-PodUp]\nSoak=1s\n',
      'silent.service': handWritten('--name silent'),
      'silent.service.d/10-marker.conf': '[Unit]\nX-Webhook-Enabled=yes\n',
      'made@.service': handWritten('--name made-%i'),
      'sleeper.service': '[Service]\nExecStart=/bin/sleep podman\n',
      'shell.service': '[Service]\nExecStart=/bin/sh -c "podman run x"\n',
      'broken.service': handWritten('', '[X-PodUp]\nWebhookEnabled=perhaps\n'),
    });
    symlinkSync('hand.service', join(UNITS, 'nick.service'));
    symlinkSync('made@.service', join(UNITS, 'made@1.service'));
    const found = await look();
    assert.deepEqual(found['hand'], ['unit-file', 'ap']);
    assert.deepEqual(found['silent'], ['unit-file', 'y']);
    assert.deepEqual(found['made@'], ['unit-file', '']);
    assert.deepEqual(found['made@1'], ['unit-file', '']);
    assert.deepEqual(found['broken'], ['unit-file', 'pn']);
    for (const name of ['nick', 'sleeper', 'shell', 'podman-auto-update', 'podman-restart']) {
      assert.equal(found[name], undefined, name);
    }
  });

  test('a container that names its unit is believed where that unit starts containers', async () => {
    startUnits({}, 'silent');
    const run = ['run', '--detach', '--rm', '--label'];
    command('podman', ...run, 'PODMAN_SYSTEMD_UNIT=lab-registry.service', IMAGE);
    command('podman', ...run, 'PODMAN_SYSTEMD_UNIT=--now.service', IMAGE);
    const own = ['run', '--rm', '--label', 'PODMAN_SYSTEMD_UNIT=passing.service', IMAGE];
    command('systemd-run', '--user', '--quiet', '--unit=passing', 'podman', ...own);
    const found = await until('containers of both', 20_000, async () => {
      const seen = await look();
      return seen['silent']?.includes('podman') && seen['passing']?.includes('podman') && seen;
    });
    assert.deepEqual(found['passing'], ['unit-file', 'podman', '']);
    assert.deepEqual(found['silent'], ['unit-file', 'podman', 'y']);
    assert.equal(found['lab-registry'], undefined);
    assert.equal(found['--now'], undefined);
  });

  test('one that is gone is not found any more', async () => {
    systemctl('stop', 'silent');
    rmSync(join(UNITS, 'silent.service'));
    rmSync(join(UNITS, 'silent.service.d'), { recursive: true });
    systemctl('daemon-reload');
    assert.equal((await look())['silent'], undefined);
  });

  describe('of Quadlet', HAS_QUADLET ? {} : { skip: 'podman 4.3 has no Quadlet' }, () => {
    const container = (more = '') => `[Container]\nImage=${IMAGE}\n${more}`;

    test('are found in every folder that it reads, with their drop-ins, links and templates', async () => {
      mkdirSync(join(homedir(), 'elsewhere/below'), { recursive: true });
      writeFileSync(join(homedir(), 'elsewhere/linked.container'), container());
      writeFileSync(join(homedir(), 'elsewhere/below/deep.container'), container());
      startUnits({
        'auto.container': container('AutoUpdate=registry\n'),
        'local.container': container('AutoUpdate=local\n'),
        'plain.container': container(),
        'dropped.container': container(),
        'dropped.container.d/10.conf': '[Container]\nAutoUpdate=registry\n',
        'undone.container': container('AutoUpdate=registry\n'),
        'undone.container.d/10.conf': '[Container]\nAutoUpdate=\n',
        'named.container': container('ServiceName=called\n'),
        'marked.container': container('[X-PodUp]\nWebhookEnabled=yes\n'),
        'off.container': container('AutoUpdate=registry\n[X-PodUp]\nWebhookEnabled=no\n'),
        'tpl@.container': container('ContainerName=tpl-%i\nAutoUpdate=registry\n'),
      });
      symlinkSync('tpl@.container', join(QUADLETS, 'tpl@1.container'));
      symlinkSync('../../../elsewhere', join(QUADLETS, 'more'));
      symlinkSync('../../../elsewhere/linked.container', join(QUADLETS, 'linked.container'));
      symlinkSync('/dev/null', join(QUADLETS, 'masked.container'));
      const both = ['quadlet', 'unit-file'];
      const expected = {
        auto: [...both, 'a'],
        local: [...both, ''],
        plain: [...both, ''],
        dropped: [...both, 'a'],
        undone: [...both, ''],
        called: [...both, ''],
        marked: [...both, 'py'],
        off: [...both, 'apn'],
        'tpl@': [...both, 'a'],
        'tpl@1': ['quadlet', 'a'],
        linked: ['quadlet', ''],
        deep: ['quadlet', ''],
        masked: undefined,
      };
      const seen = await look();
      assert.deepEqual(
        Object.fromEntries(Object.keys(expected).map((name) => [name, seen[name]])),
        expected,
      );
      systemctl('daemon-reload');
      systemctl('start', 'tpl@2');
      const reloaded = await look();
      for (const name of ['tpl@1', 'linked', 'deep']) {
        assert.deepEqual(reloaded[name]?.slice(0, 2), both, name);
      }
      assert.deepEqual(reloaded['tpl@2'], ['podman', 'a']);
    });
  });
});
