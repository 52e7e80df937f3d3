import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseGithubPayload } from '../../../../app/domain/sources/github.ts';
import type { ImageReading } from '../../../../app/domain/sources/source.ts';

type Sample = { readonly name: string; readonly examples: readonly Record<string, unknown>[] };

/** Each release of GitHub whose samples are published, and how many payloads of how many events it has. */
const SETS: readonly (readonly [set: string, events: number, payloads: number])[] = [
  ['api.github.com', 58, 329],
  ['ghes-31', 49, 49],
  ['ghes-32', 49, 49],
  ['ghes-33', 50, 50],
  ['ghes-34', 51, 124],
  ['ghes-35', 52, 125],
];

const NPM: ImageReading = {
  kind: 'ignored',
  reason: 'package-type-not-container',
  detail: 'The package type is "npm".',
};

/** What each sample of a package event comes to, in their order. GitHub's own container sample says it were npm. */
const PACKAGES: Readonly<Record<string, readonly ImageReading[]>> = {
  'api.github.com package': [NPM, NPM, NPM],
  'ghes-31 package': [NPM],
  'ghes-32 package': [NPM],
  'ghes-33 package': [NPM],
  'ghes-34 package': [NPM],
  'ghes-35 package': [NPM],
};

function readSamples(set: string): readonly Sample[] {
  const url = import.meta.resolve(`@octokit/webhooks-examples/${set}/index.json`);
  return JSON.parse(readFileSync(fileURLToPath(url), 'utf8'));
}

function expectedReadings(set: string, { name, examples }: Sample): readonly ImageReading[] {
  const packages = PACKAGES[`${set} ${name}`];
  if (packages) return packages;
  assert.ok(!/package/.test(name), `the samples of ${name} in ${set} have no expected reading`);
  return examples.map(() =>
    name === 'ping'
      ? { kind: 'ping' }
      : { kind: 'ignored', reason: 'event-not-handled', detail: `The event is "${name}".` },
  );
}

for (const [set, events, payloads] of SETS)
  describe(`the samples of ${set}`, () => {
    const samples = readSamples(set);
    test(`are ${payloads} payloads of ${events} events`, () => {
      assert.equal(samples.length, events);
      assert.equal(samples.flatMap(({ examples }) => examples).length, payloads);
    });
    for (const sample of samples)
      test(`${sample.name} is read as expected`, () => {
        const readings = sample.examples.map((payload) => parseGithubPayload(sample.name, payload));
        assert.deepEqual(readings, expectedReadings(set, sample));
      });
  });

describe('the container sample of api.github.com with the type that it should have', () => {
  const DIGEST = 'sha256:3da1996a8115d7616457760d9920b815241d0a03b34cf5f04e9a0e9d8de37498';
  const sample = readSamples('api.github.com').find(({ name }) => name === 'package')?.examples[1];
  const node = sample?.['package'] as Record<string, unknown>;
  const version = node['package_version'] as Record<string, unknown>;
  const body = (changes: object) => ({
    ...sample,
    package: { ...node, package_type: 'CONTAINER', package_version: { ...version, ...changes } },
  });

  test('is the untagged child of an image, for its tag is empty', () => {
    assert.deepEqual(parseGithubPayload('package', body({})), {
      kind: 'ignored',
      reason: 'untagged-child',
      detail: `It is ghcr.io/codertocat/hello-world@${DIGEST}.`,
    });
  });

  test('is a push once it has a tag; its short digests do not count', () => {
    const changes = { package_url: 'ghcr.io/Codertocat/hello-world:nightly' };
    assert.deepEqual(parseGithubPayload('package', body(changes)), {
      kind: 'push',
      action: 'published',
      pushes: [
        {
          image: { registry: 'ghcr.io', repository: 'codertocat/hello-world' },
          tags: ['nightly'],
          digest: DIGEST,
        },
      ],
    });
  });
});
