import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parseGithubPayload } from '../../../../app/domain/sources/github.ts';
import { BARE, container, DIGEST, published } from '../package-body.ts';

describe('the bodies that GHCR sends', () => {
  const ROWS = [
    [
      'package',
      'package-published',
      'sha256:19fbd5b2aa33b67db17604c44ad7c643a5590c19b05cc95e74abc19b3b010e17',
    ],
    [
      'registry_package',
      'registry-package-published',
      'sha256:d042afd7cddb20dfc09638909cd91d1fea04ef8f6afda50a64db241b815dbce8',
    ],
  ] as const;
  for (const [event, file, digest] of ROWS) {
    const body = readFileSync(
      new URL(`../../../fixtures/github/${file}.json`, import.meta.url),
      'utf8',
    );
    test(`${file}.json is read whole`, () => {
      assert.deepEqual(parseGithubPayload(event, JSON.parse(body)), {
        kind: 'push',
        action: 'published',
        pushes: [
          {
            image: { registry: 'ghcr.io', repository: 'octo-org/hello' },
            tags: ['latest'],
            digest,
          },
        ],
      });
    });
    test(`${file}.json is as large as a real one`, () =>
      assert.ok(body.length > 18_000 && body.length < 22_000, String(body.length)));
  }
});

describe('which deliveries are pushes', () => {
  const ROWS: readonly (readonly [
    title: string,
    event: string,
    payload: unknown,
    expected: string,
  ])[] = [
    ['a ping is one whatever it carries', 'ping', null, 'ping'],
    ['a published container is a push', 'package', published(container()), 'push'],
    [
      'an updated container is a push',
      'package',
      { action: 'updated', package: container() },
      'push',
    ],
    [
      'a registry_package is a push',
      'registry_package',
      { action: 'published', registry_package: container() },
      'push',
    ],
    [
      'the type docker is a container',
      'package',
      published(container({ package_type: 'docker' })),
      'push',
    ],
    [
      'the type is read in any case',
      'package',
      published(container({ package_type: 'Container' })),
      'push',
    ],
    ['another event is not', 'push', published(container()), 'event-not-handled'],
    ['an event in upper case is not', 'PACKAGE', published(container()), 'event-not-handled'],
    ['an inherited name is no event', 'constructor', {}, 'event-not-handled'],
    [
      'a deletion is not',
      'package',
      { action: 'deleted', package: container() },
      'action-not-handled',
    ],
    ['a body without action is not', 'package', { package: container() }, 'action-not-handled'],
    [
      'an action that is no text is not',
      'package',
      { action: ['published'], package: container() },
      'action-not-handled',
    ],
    [
      'npm is not',
      'package',
      published(container({ package_type: 'npm' })),
      'package-type-not-container',
    ],
    [
      'a package without type is not',
      'package',
      published(container({ package_type: null })),
      'package-type-not-container',
    ],
    [
      'a package that is null is not',
      'package',
      { action: 'published', package: null },
      'image-unreadable',
    ],
    ['a body without package is not', 'package', { action: 'published' }, 'image-unreadable'],
    [
      'the package of the other event is not',
      'package',
      { action: 'published', registry_package: container() },
      'image-unreadable',
    ],
    [
      'an empty tag is not',
      'package',
      published(
        container({}, { ...BARE, container_metadata: { tag: { name: '', digest: DIGEST } } }),
      ),
      'untagged-child',
    ],
    [
      'a digest as tag is not',
      'package',
      published(
        container({}, { ...BARE, container_metadata: { tag: { name: DIGEST, digest: DIGEST } } }),
      ),
      'untagged-child',
    ],
    [
      'a digest as tag of the URL is not',
      'package',
      published(container({}, { ...BARE, package_url: `ghcr.io/octo-org/hello:${DIGEST}` })),
      'untagged-child',
    ],
    [
      'a package without version is not',
      'package',
      published(container({ package_version: null })),
      'untagged-child',
    ],
    [
      'inherited fields do not count',
      'package',
      Object.create(published(container())),
      'action-not-handled',
    ],
    [
      'own fields named __proto__ do not count',
      'package',
      JSON.parse('{"__proto__":{"action":"published"},"package":{}}'),
      'action-not-handled',
    ],
    ['an array is no body', 'package', [published(container())], 'action-not-handled'],
  ];
  for (const [title, event, payload, expected] of ROWS)
    test(title, () => {
      const reading = parseGithubPayload(event, payload);
      assert.equal(reading.kind === 'ignored' ? reading.reason : reading.kind, expected);
    });
});

describe('details', () => {
  const ROWS: readonly (readonly [
    title: string,
    event: string,
    payload: unknown,
    detail: string,
  ])[] = [
    ['name the event', 'watch', {}, 'The event is "watch".'],
    [
      'cut and escape foreign text',
      `a\n${'b'.repeat(200)}`,
      {},
      `The event is "a\\n${'b'.repeat(78)}".`,
    ],
    ['name the action', 'package', { action: 'deleted' }, 'The action is "deleted".'],
    ['name the type', 'package', published({ package_type: 'npm' }), 'The package type is "npm".'],
    [
      'name the package',
      'package',
      published({ package_type: 'CONTAINER', name: 'x y' }),
      'The package is "x y".',
    ],
    [
      'name the manifest',
      'package',
      published(container({}, { ...BARE, name: DIGEST })),
      `It is ghcr.io/octo-org/hello@${DIGEST}.`,
    ],
    [
      'name the image without a digest',
      'package',
      published(container({}, BARE)),
      'It is ghcr.io/octo-org/hello.',
    ],
  ];
  for (const [title, event, payload, detail] of ROWS)
    test(title, () => {
      const reading = parseGithubPayload(event, payload);
      assert.equal(reading.kind === 'ignored' && reading.detail, detail);
    });
});
