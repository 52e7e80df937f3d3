import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatUpdateRecord,
  MAX_RECORD_BYTES,
  parseUpdateRecord,
  RECORD_VERSION,
  UPDATE_KINDS,
  UPDATE_STATES,
  type UpdateRecord,
} from '../../../shared/contract/update-record.ts';
import { UPDATE_TRIGGERS } from '../../../shared/contract/update-request.ts';
import { FAILURE, NAMELESS, RECORD, RELEASE } from './samples.ts';

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex');
const format = (record: UpdateRecord) => formatUpdateRecord(record, sha256);
const parse = (content: string) => parseUpdateRecord(content, sha256);

/** The text with another body under a checksum that fits, as a program of another version would write it. */
function formatChanged(change: Record<string, unknown>): string {
  return format({ ...RECORD, ...change } as UpdateRecord);
}

const whole = fc.nat(1_000_000);
const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const bounded = (maxLength: number) => fc.string({ maxLength, unit: 'binary' });
const release = fc.constantFrom(RELEASE, NAMELESS);
const counts = ['stagingLeft', 'triesLeft', 'handOversLeft', 'rollbackAttempts'] as const;
const backup = nullable(
  fc.record({
    kind: fc.constantFrom('copy', 'raw', 'none'),
    file: nullable(bounded(50)),
    sha256: nullable(fc.constant(RELEASE.digest)),
    bytes: whole,
    schema: nullable(whole),
  }),
);

/** What every record says, also one that another has put aside. */
const fields = {
  v: fc.constant(RECORD_VERSION),
  txn: fc.stringMatching(/^upd_[0-9a-z]{1,40}$/),
  kind: fc.constantFrom(...UPDATE_KINDS),
  seq: fc.integer({ min: 1, max: 1_000_000 }),
  state: fc.constantFrom(...UPDATE_STATES),
  from: release,
  to: nullable(release),
  request: fc.record({
    id: fc.stringMatching(/^[0-9A-Za-z_-]{1,64}$/),
    trigger: fc.constantFrom(...UPDATE_TRIGGERS),
    by: nullable(bounded(50)),
    reason: nullable(bounded(50)),
    dryRun: fc.boolean(),
    tag: nullable(bounded(50)),
    force: fc.boolean(),
    version: nullable(bounded(50)),
    restoreDatabase: fc.boolean(),
    at: whole,
  }),
  startedAt: whole,
  bootId: bounded(30),
  ...(Object.fromEntries(counts.map((name) => [name, fc.nat(100)])) as Record<
    (typeof counts)[number],
    fc.Arbitrary<number>
  >),
  failure: nullable(
    fc.record({ code: fc.constantFrom('INTERNAL', 'UPDATE_BUSY'), detail: bounded(2000) }),
  ),
  outcome: nullable(fc.constantFrom('failed', 'cancelled', 'current', 'dry-run')),
  database: fc.record({
    backup,
    newVersionStarted: fc.boolean(),
    restored: fc.boolean(),
    wanted: backup,
    wantedRestored: fc.boolean(),
  }),
  steps: fc.array(
    fc.record({ state: fc.constantFrom(...UPDATE_STATES), at: whole, ms: nullable(whole) }),
    { maxLength: 20 },
  ),
  warnings: fc.array(bounded(50), { maxLength: 5 }),
};

/** Every record that a supervisor could write, with fields that this program does not know. */
const records: fc.Arbitrary<UpdateRecord> = fc.record({
  ...fields,
  over: nullable(fc.record(fields)),
  extra: fc.dictionary(fc.stringMatching(/^later[A-Z][a-z]{0,5}$/), fc.jsonValue()),
});

describe('a record', () => {
  test('is one line that ends', () => assert.match(format(RECORD), /^[^\n]+\n$/));

  test('reads back as it was written', () => {
    assert.deepEqual(parse(format(RECORD)), { kind: 'record', record: RECORD });
  });

  test('whatever is in it, reads back as it was written, what is not known included', () => {
    fc.assert(
      fc.property(records, (record) => {
        const reading = parse(format(record));
        assert.deepEqual(
          JSON.parse(JSON.stringify(reading)),
          JSON.parse(JSON.stringify({ kind: 'record', record })),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('the largest that the readers take is not too large', () => {
    const steps = Array.from({ length: 200 }, () => ({
      ...{ state: 'rolling-back', at: Number.MAX_SAFE_INTEGER, ms: Number.MAX_SAFE_INTEGER },
    }));
    const warnings = Array.from({ length: 50 }, () => '\0'.repeat(500));
    const failure = { code: 'INTERNAL', detail: '\0'.repeat(2000) };
    const { over: _over, extra: _extra, ...held } = RECORD;
    const over = { ...held, steps, warnings, failure };
    const content = formatChanged({ steps, warnings, failure, over });
    assert.ok(content.length < MAX_RECORD_BYTES, `${content.length}`);
    assert.equal(parse(content).kind, 'record');
  });
});

describe('the checksum', () => {
  test('is over the content and not over the order in which it stands', () => {
    const backwards = (value: unknown): unknown =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, inner]) => [name, backwards(inner)]),
          )
        : value;
    const turned = JSON.stringify(backwards(JSON.parse(format(RECORD))), null, 2);
    assert.notEqual(turned, format(RECORD));
    assert.deepEqual(parse(turned), { kind: 'record', record: RECORD });
  });

  test('is the same for the same content, whoever put it together', () => {
    const { v, ...rest } = RECORD;
    const sumOf = (content: string) => JSON.parse(content).sum;
    assert.equal(sumOf(format({ ...rest, v })), sumOf(format(RECORD)));
  });

  test('takes the order of a list for content', () => {
    const steps = [...RECORD.steps].reverse();
    assert.notEqual(JSON.parse(formatChanged({ steps })).sum, JSON.parse(format(RECORD)).sum);
  });

  test('covers fields that this program does not know', () => {
    const content = formatChanged({ extra: { later: { deep: 1 } } });
    assert.equal(parse(content.replace('"deep":1', '"deep":2')).kind, 'broken');
  });

  test('of another record does not fit', () => {
    const content = format(RECORD).replace(
      JSON.parse(format(RECORD)).sum,
      JSON.parse(formatChanged({ seq: 13 })).sum,
    );
    const reason = 'its checksum is wrong';
    assert.deepEqual(parse(content), { kind: 'broken', reason });
  });
});

describe('a field that this program does not know', () => {
  const extra = { laterFlag: true, laterTree: { a: [1, { b: null }] } };
  const content = formatChanged({ extra });

  test('is kept apart', () => {
    assert.deepEqual(parse(content), { kind: 'record', record: { ...RECORD, extra } });
  });

  test('stands in the text again after a change, for the program that knows it', () => {
    const reading = parse(content);
    assert.equal(reading.kind, 'record');
    if (reading.kind !== 'record') return;
    const { laterFlag, laterTree } = JSON.parse(format({ ...reading.record, seq: 13 }));
    assert.deepEqual({ laterFlag, laterTree }, extra);
  });

  test('cannot take the place of one that it knows', () => {
    const reading = parse(formatChanged({ extra: { state: 'held' } }));
    assert.deepEqual(reading, { kind: 'record', record: RECORD });
  });
});

describe('a record of a newer program is left alone', () => {
  const newer = { kind: 'newer', v: RECORD_VERSION + 1 } as const;
  test('as a whole', () => assert.deepEqual(parse(formatChanged({ v: newer.v })), newer));
  test('with states that are not known here', () =>
    assert.deepEqual(parse(formatChanged({ v: newer.v, state: 'flying' })), newer));
  test('with a checksum of another kind', () =>
    assert.deepEqual(parse(`{"v":${newer.v},"sum":"crc32:0"}`), newer));
});

describe('what is no whole record is broken', () => {
  const good = format(RECORD);
  type Row = readonly [title: string, content: string, reason: RegExp];
  const ROWS: readonly Row[] = [
    ['an empty file', '', /no JSON object/],
    ['one byte', good.slice(0, 1), /no JSON object/],
    ['half of it', good.slice(0, good.length / 2), /no JSON object/],
    ['all but the last brace', good.slice(0, -2), /no JSON object/],
    ['zeros, as a file system leaves them', '\0'.repeat(good.length), /no JSON object/],
    ['a byte order mark before it', `\u{feff}${good}`, /no JSON object/],
    ['a list', `[${good}]`, /no JSON object/],
    ['null', 'null', /no JSON object/],
    ['two records', good + good, /no JSON object/],
    ['an empty object', '{}', /no version/],
    ['a version that is a text', good.replace('"v":1', '"v":"1"'), /no version/],
    ['version 0', formatChanged({ v: 0 }), /no version/],
    ['no checksum', good.replace(/,"sum":"[0-9a-f]+"/, ''), /checksum/],
    ['another checksum', good.replace(/"sum":"[0-9a-f]+"/, '"sum":"00"'), /checksum/],
    ['ten million letters', 'x'.repeat(10_000_000), /too large/],
    ['a record with ten million blanks', `${good}${' '.repeat(10_000_000)}`, /too large/],
    ['a state that is not known', formatChanged({ state: 'flying' }), /field/],
    ['a kind that is not known', formatChanged({ kind: 'wish' }), /field/],
    ['no program to go back to', formatChanged({ from: null }), /field/],
    ['a txn that is a path', formatChanged({ txn: 'upd_../x' }), /field/],
    ['more tries than a hundred', formatChanged({ triesLeft: 101 }), /field/],
    ['a failure without a code', formatChanged({ failure: { detail: '' } }), /field/],
    ['more steps than 200', formatChanged({ steps: Array(201).fill(RECORD.steps[0]) }), /field/],
  ];
  for (const [title, content, reason] of ROWS)
    test(title, () => {
      const reading = parse(content);
      assert.equal(reading.kind, 'broken');
      if (reading.kind === 'broken') assert.match(reading.reason, reason);
    });

  test('wherever it was cut off', () => {
    for (let length = 0; length < good.trimEnd().length; length++)
      assert.equal(parse(good.slice(0, length)).kind, 'broken', `${length}`);
  });

  test('whichever bit has changed', () => {
    const bytes = Buffer.from(good.trimEnd());
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const reading = parse(flipped.toString());
      // A greater version is not ours to judge, so its checksum is not looked at.
      if (reading.kind !== 'newer') assert.equal(reading.kind, 'broken', `bit ${bit}`);
    }
  });

  test('whatever the text, reading it never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (content) => void parse(content)));
  });
});

test('what an older program did not write has a value', () => {
  const { warnings, ...older } = RECORD;
  const reading = parse(format(older as UpdateRecord));
  assert.deepEqual(reading, { kind: 'record', record: { ...RECORD, warnings: [] } });
});

test('a failure is kept with the first 2000 characters of what was seen', () => {
  const detail = 'x'.repeat(5000);
  const reading = parse(formatChanged({ failure: { ...FAILURE, detail } }));
  assert.ok(reading.kind === 'record');
  assert.equal(reading.record.failure?.detail.length, 2000);
});
