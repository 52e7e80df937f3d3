import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { repositoryOf } from '../../../../app/domain/image-reference.ts';
import { parseGithubPayload } from '../../../../app/domain/sources/github.ts';
import type { ImageReading, Push } from '../../../../app/domain/sources/source.ts';
import { BARE, container, DIGEST, type Json, OTHER_DIGEST, published } from '../package-body.ts';

describe('which image was pushed', () => {
  const withoutUrl = { package_url: undefined };
  const ROWS: readonly (readonly [title: string, payload: Json, expected: string | undefined])[] = [
    ['that of package_url', published(container({ name: 'x' })), 'ghcr.io/octo-org/hello'],
    [
      'with a bare colon',
      published(container({ name: 'x' }, { package_url: 'ghcr.io/octo-org/hello:' })),
      'ghcr.io/octo-org/hello',
    ],
    [
      'without a tag',
      published(container({ name: 'x' }, { package_url: 'ghcr.io/octo-org/hello' })),
      'ghcr.io/octo-org/hello',
    ],
    [
      'with a scheme',
      published(container({ name: 'x' }, { package_url: 'https://ghcr.io/octo-org/hello:v1' })),
      'ghcr.io/octo-org/hello',
    ],
    [
      'with a port',
      published(
        container({ name: 'x' }, { package_url: 'https://ghe.example:8443/octo-org/hello:v1' }),
      ),
      'ghe.example:8443/octo-org/hello',
    ],
    [
      'with a digest',
      published(container({ name: 'x' }, { package_url: `ghcr.io/octo-org/hello@${DIGEST}` })),
      'ghcr.io/octo-org/hello',
    ],
    [
      'in upper case',
      published(container({ name: 'x' }, { package_url: 'GHCR.io/Octo-Org/Hello:V1' })),
      'ghcr.io/octo-org/hello',
    ],
    [
      'with a path in the name',
      published(container({ name: 'Mono/Web' }, withoutUrl)),
      'ghcr.io/octo-org/mono/web',
    ],
    [
      'of the owner, in lower case',
      published(container({ owner: { login: 'Octo-Cat' } }, withoutUrl)),
      'ghcr.io/octo-cat/hello',
    ],
    [
      'of the namespace without an owner',
      published(container({ owner: null, namespace: 'Space' }, withoutUrl)),
      'ghcr.io/space/hello',
    ],
    [
      'of the owner of the repository at last',
      published(container({ owner: {}, namespace: '' }, withoutUrl), {
        repository: { owner: { login: 'Last' } },
      }),
      'ghcr.io/last/hello',
    ],
    [
      'at the registry of the package',
      published(
        container({ registry: { url: 'https://containers.ghe.example/octo-org' } }, withoutUrl),
      ),
      'containers.ghe.example/octo-org/hello',
    ],
    [
      'at the registry beside the package',
      published(container({ registry: null }, withoutUrl), {
        registry: { url: 'https://reg.example' },
      }),
      'reg.example/octo-org/hello',
    ],
    [
      'at the host beside the package',
      published(container({ registry: null }, withoutUrl), {
        registry: { host: 'reg.example:5000' },
      }),
      'reg.example:5000/octo-org/hello',
    ],
    [
      'at ghcr.io for the placeholder',
      published(container({}, withoutUrl)),
      'ghcr.io/octo-org/hello',
    ],
    [
      'at ghcr.io without a registry',
      published(container({ registry: null }, withoutUrl)),
      'ghcr.io/octo-org/hello',
    ],
    [
      'not from a URL that names no registry',
      published(container({}, { package_url: 'evil/name:latest' })),
      'ghcr.io/octo-org/hello',
    ],
    [
      'not from a URL that is no reference',
      published(container({}, { package_url: '--root=/:latest' })),
      'ghcr.io/octo-org/hello',
    ],
    [
      'not from an endless URL',
      published(container({}, { package_url: `ghcr.io/${'a/'.repeat(1e6)}a:latest` })),
      'ghcr.io/octo-org/hello',
    ],
    ['none without a name', published(container({ name: '' }, withoutUrl)), undefined],
    [
      'none without an owner',
      published(container({ owner: null, namespace: null }, withoutUrl)),
      undefined,
    ],
    [
      'none with a name that cannot be one',
      published(container({ name: 'a b' }, withoutUrl)),
      undefined,
    ],
    [
      'none with a tag in the name',
      published(container({ name: 'hello:v1' }, withoutUrl)),
      undefined,
    ],
    [
      'none with a registry that cannot be one',
      published(container({ registry: { url: 'https://user@reg.example/' } }, withoutUrl)),
      undefined,
    ],
  ];
  for (const [title, payload, expected] of ROWS)
    test(title, () => {
      const reading = parseGithubPayload('package', payload);
      if (expected === undefined)
        assert.equal(reading.kind === 'ignored' && reading.reason, 'image-unreadable');
      else assert.equal(repositoryOf(onlyPush(reading).image), expected);
    });
});

describe('which tags were pushed', () => {
  const many = Array.from({ length: 150 }, (_, number) => `t${number}`);
  const ROWS: readonly (readonly [title: string, version: Json, expected: readonly string[]])[] = [
    [
      'that of container_metadata.tag',
      { ...BARE, container_metadata: { tag: { name: 'v1' } } },
      ['v1'],
    ],
    [
      'all of container_metadata.tags',
      { ...BARE, container_metadata: { tags: ['a', { name: 'b' }, 7, null] } },
      ['a', 'b'],
    ],
    [
      'all of metadata.container.tags',
      { ...BARE, metadata: { container: { tags: ['sha-1', 'latest'] } } },
      ['sha-1', 'latest'],
    ],
    [
      'that of metadata.container.tag_name',
      { ...BARE, metadata: { container: { tag_name: 'v2' } } },
      ['v2'],
    ],
    [
      'all of docker_metadata',
      { ...BARE, docker_metadata: [{ tags: ['a'] }, {}, { tags: ['b'] }] },
      ['a', 'b'],
    ],
    ['that of package_url', { ...BARE, package_url: 'ghcr.io/octo-org/hello:V3' }, ['V3']],
    [
      'each once',
      { container_metadata: { tag: { name: 'latest' }, tags: ['latest', 'v1', 'v1'] } },
      ['latest', 'v1'],
    ],
    [
      'no empty and no impossible ones',
      {
        ...BARE,
        container_metadata: {
          tag: { name: 'ok' },
          tags: ['', ' ', '-x', DIGEST, 'a b', 'x'.repeat(129)],
        },
      },
      ['ok'],
    ],
    [
      '100 at most',
      { ...BARE, container_metadata: { tag: { name: 'first' }, tags: many } },
      ['first', ...many.slice(0, 99)],
    ],
    [
      'none from the version of a container',
      { ...BARE, version: '1.0.0', container_metadata: { tag: { name: 'v1' } } },
      ['v1'],
    ],
  ];
  for (const [title, version, expected] of ROWS)
    test(title, () => {
      const reading = parseGithubPayload('package', published(container({}, version)));
      assert.deepEqual(onlyPush(reading).tags, expected);
    });

  test('the version of the older Docker registry is the tag', () => {
    const node = container(
      { package_type: 'docker' },
      { ...BARE, version: 'v1.0.53', name: DIGEST },
    );
    const reading = parseGithubPayload('package', published(node));
    assert.deepEqual(reading, {
      kind: 'push',
      action: 'published',
      pushes: [
        {
          image: { registry: 'ghcr.io', repository: 'octo-org/hello' },
          tags: ['v1.0.53'],
          digest: DIGEST,
        },
      ],
    });
  });

  test('a package_version beside the package is read too', () => {
    const { package_version, ...node } = container();
    const reading = parseGithubPayload('package', published(node, { package_version }));
    assert.deepEqual(onlyPush(reading).tags, ['latest']);
  });
});

describe('which digest was pushed', () => {
  const tag = (digest: unknown, manifest: unknown) => ({
    container_metadata: { tag: { name: 'latest', digest }, manifest: { digest: manifest } },
  });
  const ROWS: readonly (readonly [title: string, version: Json, expected: string | undefined])[] = [
    [
      'that of the tag',
      { ...tag(DIGEST, OTHER_DIGEST), version: OTHER_DIGEST, name: OTHER_DIGEST },
      DIGEST,
    ],
    [
      'that of the manifest',
      { ...tag('', DIGEST), version: OTHER_DIGEST, name: OTHER_DIGEST },
      DIGEST,
    ],
    ['that of the version', { ...tag(null, {}), version: DIGEST, name: OTHER_DIGEST }, DIGEST],
    ['that of the name', { ...tag(1, 2), version: '1.0.0', name: DIGEST }, DIGEST],
    [
      'none that is too short',
      { ...tag('sha256:abc', 'sha256:'), version: 'x', name: 'y' },
      undefined,
    ],
  ];
  for (const [title, version, expected] of ROWS)
    test(title, () => {
      const reading = parseGithubPayload('package', published(container({}, version)));
      assert.equal(onlyPush(reading).digest, expected);
    });
});

function onlyPush(reading: ImageReading): Push {
  assert.ok(reading.kind === 'push');
  const [push, ...more] = reading.pushes;
  assert.ok(push !== undefined && more.length === 0);
  return push;
}
