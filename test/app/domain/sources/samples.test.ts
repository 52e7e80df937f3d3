import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { repositoryOf } from '../../../../app/domain/image-reference.ts';
import { locateJson } from '../../../../app/domain/sources/locate-json.ts';
import type { HookReading } from '../../../../app/domain/sources/source.ts';
import { SOURCES } from '../../../../app/domain/sources/sources.ts';
import { bodyOf, SAMPLES, type Sample, sha256 } from '../../../helpers/hook-samples.ts';

/** The reading as samples write it. */
function written(reading: HookReading): object {
  if (reading.kind === 'ignored') return { kind: reading.kind, reason: reading.reason };
  if (reading.kind !== 'push') return reading;
  const pushes = reading.pushes.map((push) => ({ ...push, image: repositoryOf(push.image) }));
  return { ...reading, pushes };
}

for (const kind of Object.keys(SOURCES))
  describe(`what ${kind} sends`, () => {
    for (const sample of SAMPLES.filter(({ source }) => source === kind))
      test(`${sample.name}: ${sample.about}`, () => check(sample));
  });

/** Who signs the JSON in a form, and not the form around it (Gitea, `services/webhook/deliver.go`). */
const SIGN_THE_FIELD: ReadonlySet<string> = new Set(['gitea']);

function check(sample: Sample): void {
  const source = SOURCES[sample.source];
  const body = bodyOf(sample);
  const json = JSON.stringify(sample.body);
  const located = locateJson(source, sample.contentType, Buffer.from(body));
  assert.equal(located.json.toString(), json);
  assert.equal(located.signed.toString(), SIGN_THE_FIELD.has(sample.source) ? json : body);
  const headers = (name: string) => sample.headers[name];
  const payload: unknown = JSON.parse(located.json.toString());
  const { event, delivery, ...expected } = sample.expected;
  const digest = sha256(body);
  assert.equal(source.readEvent(headers, payload), event);
  assert.equal(
    source.readDeliveryId(headers, payload, digest),
    delivery === 'body' ? `sha256:${digest}` : (delivery ?? undefined),
  );
  const { registry } = sample;
  const options = registry === undefined ? {} : { registry };
  assert.deepEqual(written(source.read(headers, payload, options)), expected);
}

describe('the samples', () => {
  test('are many, a third of them no push', () => {
    const negative = SAMPLES.filter(({ expected }) => expected.kind === 'ignored');
    assert.ok(SAMPLES.length >= 60, String(SAMPLES.length));
    assert.ok(negative.length >= SAMPLES.length / 3, `${negative.length} of ${SAMPLES.length}`);
  });

  test('are forms of every source that sends them', () => {
    const forms = SAMPLES.filter(({ contentType }) => /form-urlencoded/.test(contentType));
    assert.deepEqual([...new Set(forms.map(({ source }) => source))].sort(), ['gitea', 'github']);
  });

  test('are headers that are looked up in lower case', () => {
    for (const { headers } of SAMPLES)
      for (const name of Object.keys(headers)) assert.equal(name, name.toLowerCase());
  });

  for (const { kind } of Object.values(SOURCES))
    test(`of ${kind} have pushes and others`, () => {
      const kinds = SAMPLES.filter(({ source }) => source === kind).map(
        ({ expected }) => expected.kind,
      );
      assert.ok(kinds.includes('push') && kinds.includes('ignored'));
    });
});
