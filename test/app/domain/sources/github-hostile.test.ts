import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  isDigest,
  isTag,
  parseImageReference,
  repositoryOf,
} from '../../../../app/domain/image-reference.ts';
import { parseGithubPayload } from '../../../../app/domain/sources/github.ts';
import type { ImageReading } from '../../../../app/domain/sources/source.ts';
import { container, DIGEST, type Json, published } from '../package-body.ts';

describe('hostile bodies', () => {
  test('any JSON value gives a reading within its bounds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('package', 'registry_package', 'ping', 'push'),
        fc.jsonValue(),
        (event, json) => assertSound(parseGithubPayload(event, json)),
      ),
      { numRuns: 500 },
    );
  });

  test('any value in any field that is read gives a reading within its bounds', () => {
    fc.assert(
      fc.property(fc.constantFrom('package', 'registry_package'), soundLooking(), (event, body) =>
        assertSound(parseGithubPayload(event, { ...body, [event]: body['package'] })),
      ),
      { numRuns: 2000 },
    );
  });

  test('a body 100000 levels deep is no deeper for the reader', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    for (const node of [deep, { package_type: 'docker', name: deep, package_version: deep }])
      assertSound(parseGithubPayload('package', { action: 'published', package: node }));
  });

  test('a million tags cost no more than a hundred', () => {
    const tags = new Array<string>(1_000_000).fill('same');
    const docker_metadata = new Array<unknown>(1000).fill({ tags });
    const body = published(container({}, { container_metadata: { tags }, docker_metadata }));
    assertSound(parseGithubPayload('package', body));
  });
});

/** Bodies of the right shape, any field of which may be anything. */
function soundLooking(): fc.Arbitrary<Json> {
  const some = (...usual: readonly unknown[]) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...usual) },
      { weight: 1, arbitrary: fc.jsonValue() },
    );
  const shape = (fields: Record<string, fc.Arbitrary<unknown>>) =>
    fc.oneof(
      { weight: 12, arbitrary: fc.record(fields, { requiredKeys: [] }) },
      { weight: 1, arbitrary: fc.jsonValue() },
    );
  const words = some('latest', '', DIGEST, 'v1', '-x', 'a b');
  const tags = fc.oneof(fc.array(words, { maxLength: 120 }), fc.jsonValue());
  const registry = shape({
    url: some('https://CONTAINER.pkg.github.com/o', 'https://r.example', '::'),
    host: some('r.example'),
  });
  const version = shape({
    version: words,
    name: words,
    package_url: some(
      'ghcr.io/octo-org/hello:',
      'https://ghcr.io/Octo/hello:v1',
      'x',
      ':',
      '@',
      '/',
    ),
    container_metadata: shape({
      tag: shape({ name: words, digest: words }),
      tags,
      manifest: shape({ digest: words }),
    }),
    metadata: shape({ container: shape({ tags, tag_name: words }) }),
    docker_metadata: fc.array(shape({ tags }), { maxLength: 3 }),
  });
  const node = shape({
    name: some('hello', 'Mono/web', ''),
    namespace: some('octo-org', ''),
    package_type: fc.constantFrom('CONTAINER', 'docker'),
    owner: shape({ login: some('octo-org', '') }),
    package_version: version,
    registry,
  });
  return fc.record({
    action: fc.constantFrom('published', 'updated'),
    package: node,
    package_version: version,
    registry,
  });
}

function assertSound(reading: ImageReading): void {
  if (reading.kind === 'ignored')
    assert.ok(reading.detail.length < 700 && !/[\r\n]/.test(reading.detail));
  if (reading.kind !== 'push') return;
  const { tags, digest, image } = reading.pushes[0] ?? assert.fail();
  assert.ok(tags.length >= 1 && tags.length <= 100);
  assert.equal(new Set(tags).size, tags.length);
  assert.ok(tags.every(isTag));
  assert.ok(digest === undefined || isDigest(digest));
  assert.deepEqual(parseImageReference(repositoryOf(image)), image);
}
