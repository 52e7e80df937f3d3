import fc from 'fast-check';
import type { SourceKind } from '../../app/domain/sources/source.ts';
import { SOURCES } from '../../app/domain/sources/sources.ts';
import { SAMPLES } from '../helpers/hook-samples.ts';
import { checkSource } from './check-reading.ts';
import { anyEdit, anyJson, anyText, applyEdits, type Edit, rarely } from './mutate-json.ts';

/** What a run is made of; printable, so that a failing one can be kept. */
export type SourceInput = {
  readonly source: SourceKind;
  readonly headers: Readonly<Record<string, string>>;
  readonly registry: string | undefined;
  readonly body: unknown;
  readonly edits: readonly Edit[];
};

const KINDS = Object.keys(SOURCES) as SourceKind[];
const HEADERS = [...new Set(SAMPLES.flatMap(({ headers }) => Object.keys(headers)))];
const REGISTRIES = [undefined, 'reg.example:5000', 'acme.jfrog.io/docker-local', '', 'no host'];

const headerChanges = fc.dictionary(fc.constantFrom(...HEADERS), anyText, { maxKeys: 3 });

/** A sample with changes, most often to the source that it is of; sometimes anything at all. */
export const anySourceInput: fc.Arbitrary<SourceInput> = fc
  .record({
    sample: fc.constantFrom(...SAMPLES),
    other: rarely(8, fc.constantFrom(...KINDS)),
    headers: fc.oneof(
      { weight: 3, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: headerChanges },
    ),
    registry: fc.oneof(fc.constant('own'), fc.constantFrom(...REGISTRIES)),
    body: rarely(12, anyJson),
    edits: fc.array(anyEdit, { maxLength: 5 }),
  })
  .map(({ sample, other, headers, registry, body, edits }) => ({
    source: other ?? sample.source,
    headers: { ...sample.headers, ...headers },
    registry: registry === 'own' ? sample.registry : registry,
    body: body ?? sample.body,
    edits,
  }));

/** Runs one input against its source. Throws where the source breaks a promise. */
export function runSourceInput({ source, headers, registry, body, edits }: SourceInput): void {
  checkSource(SOURCES[source], {
    headers: (name) => (Object.hasOwn(headers, name) ? headers[name] : undefined),
    payload: applyEdits(body, edits),
    registry,
  });
}
