import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SOURCES } from '../../../../app/domain/sources/sources.ts';
import { checkSource } from '../../../fuzz/check-reading.ts';
import { fuzzSources } from '../../../fuzz/fuzz.ts';
import { runSourceInput } from '../../../fuzz/fuzz-sources.ts';
import { anyJson, anyText } from '../../../fuzz/mutate-json.ts';
import { readSeeds } from '../../../fuzz/seeds.ts';
import { SAMPLES } from '../../../helpers/hook-samples.ts';

describe('any delivery', () => {
  for (const source of Object.values(SOURCES)) {
    test(`${source.kind}: any JSON and any headers`, () =>
      fc.assert(
        fc.property(anyJson, anyText, fc.option(anyText), (payload, header, registry) =>
          checkSource(source, { payload, headers: () => header, registry: registry ?? undefined }),
        ),
        { numRuns: 300 },
      ));

    test(`${source.kind}: a body of any size and depth`, () => {
      const deep: unknown = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`);
      const { body, headers } = SAMPLES.find((sample) => sample.source === source.kind) ?? {};
      const lookup = (name: string) => headers?.[name];
      for (const payload of [
        deep,
        { ...(body as object), repository: deep, package: deep, events: deep },
      ])
        checkSource(source, { payload, headers: lookup, registry: 'reg.example' });
    });
  }

  test('any field of a sample may be anything', () =>
    assert.equal(fuzzSources({ seed: 7, runs: 3_000 }).error, undefined));

  test('inputs that broke something once do so no more', () => {
    for (const input of readSeeds('source')) runSourceInput(input);
  });

  test('a batch of as many events as fit into a body', () => {
    const events = Array.from({ length: 60_000 }, (_, at) => ({
      action: 'push',
      id: `event-${at}`,
      target: {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        repository: `a/b${at % 250}`,
        tag: `t${at}`,
      },
    }));
    checkSource(SOURCES.distribution, {
      payload: { events },
      headers: () => undefined,
      registry: 'reg.example',
    });
  });
});
