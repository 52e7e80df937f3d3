import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findQuadletUnits, findServiceUnits } from '../../../app/domain/find-units.ts';
import type { FoundUnit } from '../../../app/domain/found-unit.ts';
import { isReadFor, quadletFolders, type UnitFile } from '../../../app/domain/unit-folders.ts';
import { policyDefaults } from '../../../app/domain/unit-policy.ts';
import { DEPLOY_SETTINGS } from '../../helpers/deploy-settings.ts';

const DEFAULTS = policyDefaults(DEPLOY_SETTINGS);
const IMAGE = 'ghcr.io/octo-org/hello:stable';

function files(texts: Readonly<Record<string, string | null>>): UnitFile[] {
  return Object.entries(texts).map(([path, text]) => ({
    ...{ path, target: path, text },
    fault: text === null ? 'It cannot be read (EACCES).' : null,
  }));
}

/** A unit in short: `unit image marks fault`. */
function short({ unit, image, isAutoUpdated, hasPolicy, webhookEnabled, fault }: FoundUnit) {
  const hooks = webhookEnabled === null ? '' : webhookEnabled ? 'y' : 'n';
  const marks = `${isAutoUpdated ? 'a' : ''}${hasPolicy ? 'p' : ''}${hooks}`;
  return [unit.replace('.service', ''), image?.replace(IMAGE, 'I') ?? '-', marks, fault ? '!' : '']
    .join(' ')
    .trimEnd();
}

const quadlet = (texts: Readonly<Record<string, string | null>>) =>
  findQuadletUnits(files(texts), DEFAULTS).map(short);

const C = `[Container]\nImage=${IMAGE}\n`;

describe('units of Quadlet', () => {
  for (const [title, texts, expected] of [
    ['a key that is missing asks for nothing', { '/q/web.container': C }, ['web I']],
    ...(['registry', 'image'] as const).map(
      (word) =>
        [
          `AutoUpdate=${word} asks`,
          { '/q/web.container': `${C}AutoUpdate=${word}\n` },
          ['web I a'],
        ] as const,
    ),
    ...['local', 'no', 'false', 'disabled', '0', 'Registry', 'yes', ''].map(
      (word) =>
        [
          `AutoUpdate=${word} asks for nothing`,
          { '/q/web.container': `${C}AutoUpdate=registry\nAutoUpdate=${word}\n` },
          ['web I'],
        ] as const,
    ),
    [
      'blanks before the sign of equality, comments and other sections are read as systemd does',
      {
        '/q/web.container': `[Unit]\nAutoUpdate=registry\n[Container]\n#Image=x\nImage = ${IMAGE}\n`,
      },
      ['web I'],
    ],
    [
      'the label itself asks',
      { '/q/web.container': `${C}Label=a=b "io.containers.autoupdate=registry"\n` },
      ['web I a'],
    ],
    [
      'a mark asks for webhooks',
      { '/q/web.container': `${C}[Service]\nX-Webhook-Enabled=yes\n` },
      ['web I y'],
    ],
    [
      'the section of this program counts before the other mark',
      {
        '/q/web.container': `${C}[Unit]\nX-Webhook-Enabled=yes\n[X-PodUp]\nWebhookEnabled=no\n`,
      },
      ['web I pn'],
    ],
    [
      'a word that is neither yes nor no turns webhooks off',
      { '/q/web.container': `${C}[Unit]\nX-Webhook-Enabled=maybe\n` },
      ['web I n'],
    ],
    [
      'a policy that cannot be read turns webhooks off, and is told',
      { '/q/web.container': `${C}AutoUpdate=registry\n[X-PodUp]\nSoak=long\n` },
      ['web I apn !'],
    ],
    [
      'drop-ins count in the order of their names, the nearest of one name alone',
      {
        '/q/web-1.container': C,
        '/q/container.d/50.conf': '[Container]\nAutoUpdate=registry\n',
        '/q/web-.container.d/10.conf': `[Container]\nImage=${IMAGE}-b\n`,
        '/q/web-1.container.d/10.conf': `[Container]\nImage=${IMAGE}-c\n`,
        '/q/web-2.container.d/99.conf': '[Container]\nAutoUpdate=no\n',
        '/q/web-1.container.d/README': '[Container]\nAutoUpdate=no\n',
      },
      ['web-1 I-c a'],
    ],
    [
      'of two files of one name the one in the first folder counts',
      { '/a/web.container': C, '/b/web.container': `${C}AutoUpdate=registry\n` },
      ['web I'],
    ],
    [
      'an empty one, as a link to /dev/null is, hides those behind it',
      { '/a/web.container': '', '/b/web.container': C },
      [],
    ],
    [
      'templates are found by their own name, and their default instance',
      { '/q/app@.container': `${C}[Install]\nDefaultInstance=1\n`, '/q/app@2.container': C },
      ['app@ I', 'app@1 I', 'app@2 I'],
    ],
    [
      'an instance takes what adds to its template',
      {
        '/q/app@2.container': C,
        '/q/app@.container.d/1.conf': '[Container]\nAutoUpdate=registry\n',
      },
      ['app@2 I a'],
    ],
    [
      'the service may have another name',
      { '/q/web.container': `${C}ServiceName=other\n` },
      ['other I'],
    ],
    [
      'an image may stand in a file of its own, or be built',
      {
        '/q/a.container': '[Container]\nImage=base.image\n',
        '/q/base.image': `[Image]\nImage=${IMAGE}\n`,
        '/q/b.container': '[Container]\nImage=own.build\n',
        '/q/own.build': '[Build]\nImageTag=localhost/own\n',
        '/q/c.container': '[Container]\nImage=gone.image\n',
        '/q/d.container': '[Container]\nImage=ghcr.io/o/x:%i\n',
      },
      ['a I', 'b localhost/own', 'c -', 'd -'],
    ],
    [
      'one without an image is told',
      { '/q/web.container': '[Container]\nAutoUpdate=registry\n' },
      ['web - a !'],
    ],
    ['one that cannot be read asks for nothing', { '/q/web.container': null }, ['web -  !']],
    [
      'a kube file asks for one of its containers',
      {
        '/q/k.kube': '[Kube]\nYaml=k.yml\nAutoUpdate=local\nAutoUpdate=one/registry\n',
        '/q/l.kube': '[Kube]\nYaml=k.yml\nAutoUpdate=one/local\n',
      },
      ['k - a', 'l -'],
    ],
    [
      'names that no unit can have, pods and what else lies there are passed over',
      { '/q/-now.container': C, '/q/a b.container': C, '/q/p.pod': '[Pod]\n', '/q/@.container': C },
      [],
    ],
  ] as const) {
    test(title, () => assert.deepEqual(quadlet(texts), expected));
  }
});

describe('units of services', () => {
  const RUN = `[Service]\nExecStart=/usr/bin/podman run --rm ${IMAGE}\n`;
  const find = (texts: Readonly<Record<string, string>>, links: Record<string, string> = {}) => {
    const found = files(texts).map((file) => ({ ...file, target: links[file.path] ?? file.path }));
    return findServiceUnits(found, ['/a', '/b'], DEFAULTS).map(short);
  };
  for (const [title, texts, expected] of [
    ['podman run', { '/a/web.service': RUN }, ['web I']],
    [
      'with the label of podman',
      {
        '/a/web.service': `[Service]\nExecStart=-/usr/bin/podman run --label io.containers.autoupdate=registry ${IMAGE}\n`,
      },
      ['web I a'],
    ],
    ['podman start', { '/a/web.service': '[Service]\nExecStart=podman start web\n' }, ['web -']],
    [
      'podman kube play',
      { '/a/k@.service': '[Service]\nExecStart=podman kube play --replace %I\n' },
      ['k@ -'],
    ],
    [
      'what the last list of commands says',
      {
        '/a/web.service': RUN,
        '/a/web.service.d/1.conf': '[Service]\nExecStart=\nExecStart=/bin/x\n',
      },
      [],
    ],
    [
      'nothing else that podman does',
      {
        '/a/all.service': '[Service]\nExecStart=/usr/bin/podman start --all --filter a=b\n',
        '/a/auto.service': '[Service]\nExecStart=/usr/bin/podman auto-update\n',
        '/a/api.service': '[Service]\nExecStart=/usr/bin/podman system service\n',
        '/a/check.service': '[Service]\nExecStart=/usr/bin/podman healthcheck run 0a\n',
        '/a/shell.service': '[Service]\nExecStart=/bin/sh -c "podman run x"\n',
        '/a/text.service': '[Unit]\nDescription=podman run x\n[Service]\nExecStart=/bin/true\n',
      },
      [],
    ],
    ['nothing below another folder', { '/a/wants/web.service': RUN }, []],
    ['the first of one name', { '/a/web.service': '', '/b/web.service': RUN }, []],
  ] as const) {
    test(title, () => assert.deepEqual(find(texts), expected));
  }

  test('no other names of units, but what is linked from elsewhere and instances', () => {
    const texts = { '/a/nick.service': RUN, '/a/app@1.service': RUN, '/b/far.service': RUN };
    const links = {
      '/a/nick.service': '/b/web.service',
      '/a/app@1.service': '/a/app@.service',
      '/b/far.service': '/nix/store/0a-far.service',
    };
    assert.deepEqual(find(texts, links), ['app@1 I', 'far I']);
  });
});

describe('folders of Quadlet', () => {
  const environment = { HOME: '/home/u', XDG_RUNTIME_DIR: '/run/user/7', uid: 7 };

  test('of a user', () => {
    assert.deepEqual(quadletFolders({ isSystem: false, environment }, '/own'), [
      '/own',
      '/run/user/7/containers/systemd',
      '/home/u/.config/containers/systemd',
      '/etc/containers/systemd/users',
      '/etc/containers/systemd/users/7',
      '/usr/share/containers/systemd/users',
      '/usr/share/containers/systemd/users/7',
    ]);
  });

  test('of a user who keeps configuration elsewhere, without a folder for what runs', () => {
    const other = { HOME: '/home/u', XDG_CONFIG_HOME: '/conf', uid: 7 };
    assert.deepEqual(
      quadletFolders({ isSystem: false, environment: other }, undefined).slice(0, 1),
      ['/conf/containers/systemd'],
    );
  });

  test('of the system', () => {
    assert.deepEqual(quadletFolders({ isSystem: true, environment }, undefined), [
      '/run/containers/systemd',
      '/etc/containers/systemd',
      '/usr/share/containers/systemd',
    ]);
  });

  for (const [path, user, system] of [
    ['/etc/containers/systemd/users/web.container', true, false],
    ['/etc/containers/systemd/users/7/web.container', true, false],
    ['/etc/containers/systemd/users/8/web.container', false, false],
    ['/etc/containers/systemd/users/team/web.container', true, false],
    ['/etc/containers/systemd/web.container', true, true],
    ['/home/u/.config/containers/systemd/users/8/web.container', true, true],
  ] as const) {
    test(`${path} is read for ${user ? 'the user' : 'another one'}`, () => {
      assert.deepEqual(
        [false, true].map((isSystem) => isReadFor({ isSystem, environment }, path)),
        [user, system],
      );
    });
  }
});
