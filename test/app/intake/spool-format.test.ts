import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  encodeSpoolEntry,
  type IntakeVerdict,
  readSpoolEntry,
  type SpoolEntry,
} from '../../../app/intake/spool-format.ts';
import { spoolEntry } from '../../helpers/spool.ts';

const MAGIC = Buffer.from('PUS1');
const HEADER_BYTES = 16;

/** All that a reader finds from the beginning, and where it stopped. */
function readAll(bytes: Buffer) {
  const entries: SpoolEntry[] = [];
  let damaged = 0;
  let at = 0;
  for (;;) {
    const reading = readSpoolEntry(bytes, at);
    if (reading.kind === 'end') return { entries, damaged, end: at };
    assert.ok(reading.end > at, 'a reader must get on');
    if (reading.kind === 'entry') entries.push(reading.entry);
    else damaged++;
    at = reading.end;
  }
}

/** A header as it would stand before a whole entry, but with nothing behind it. */
const strayHeader = encodeSpoolEntry(spoolEntry()).subarray(0, HEADER_BYTES);

const bodies = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(
        MAGIC,
        strayHeader,
        Buffer.alloc(12),
        Buffer.concat([MAGIC, Buffer.alloc(12)]),
      ),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Buffer.concat(parts));
const verdicts: fc.Arbitrary<IntakeVerdict> = fc.record(
  {
    verdict: fc.constantFrom('accepted', 'ignored', 'duplicate', 'ping'),
    reason: fc.string({ unit: 'binary' }),
    detail: fc.string(),
    image: fc.string(),
    matched: fc.constantFrom('tag', 'repository'),
    digest: fc.string(),
  },
  { requiredKeys: ['verdict'], noNullPrototype: true },
);
const entries = fc
  .tuple(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(), verdicts, bodies)
  .map(([delivery, receivedAt, verdict, body]) =>
    spoolEntry({ id: `dlv_${receivedAt}`, delivery, receivedAt, verdict }, body),
  );
const segments = fc.array(entries, { minLength: 1, maxLength: 6 });

function join(list: readonly SpoolEntry[]): Buffer {
  return Buffer.concat(list.map(encodeSpoolEntry));
}

/** The offsets behind each entry. */
function endsOf(list: readonly SpoolEntry[]): number[] {
  let end = 0;
  return list.map((entry) => {
    end += encodeSpoolEntry(entry).length;
    return end;
  });
}

describe('a segment', () => {
  test('is read back as it was written', () => {
    fc.assert(
      fc.property(segments, (written) => {
        const bytes = join(written);
        assert.deepEqual(readAll(bytes), { entries: written, damaged: 0, end: bytes.length });
      }),
    );
  });

  test('that is cut off anywhere holds all entries before the cut, undamaged', () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 3 }), (written) => {
        const bytes = join(written);
        const ends = endsOf(written);
        for (let cut = 0; cut <= bytes.length; cut++) {
          const whole = ends.filter((end) => end <= cut);
          const read = readAll(bytes.subarray(0, cut));
          assert.deepEqual(read.entries, written.slice(0, whole.length));
          assert.deepEqual([read.damaged, read.end], [0, whole.at(-1) ?? 0]);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('with flipped bits loses at most the entries that they touch, and never gains one', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(segments, flips, (written, where) => {
        const bytes = join(written);
        const before = Buffer.from(bytes);
        for (const [offset, bit] of where) {
          const at = offset % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        }
        const ends = endsOf(written);
        const untouched = written.filter((_, index) => {
          const range = [ends[index - 1] ?? 0, ends[index]] as const;
          return bytes.subarray(...range).equals(before.subarray(...range));
        });
        assert.deepEqual(readAll(bytes).entries, untouched);
      }),
      { numRuns: 500 },
    );
  });

  test('with rubbish between its entries still gives all of them', () => {
    fc.assert(
      fc.property(segments, bodies, (written, rubbish) => {
        fc.pre(rubbish.length > 0);
        const bytes = Buffer.concat(written.flatMap((entry) => [rubbish, encodeSpoolEntry(entry)]));
        const read = readAll(bytes);
        assert.deepEqual(read.entries, written);
        assert.equal(read.damaged, written.length);
      }),
    );
  });

  test('of any bytes at all is read without a throw', () => {
    const parts = fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(MAGIC, strayHeader, Buffer.alloc(4), Buffer.alloc(12), Buffer.alloc(500)),
    );
    fc.assert(
      fc.property(fc.array(parts), (list) => {
        assert.deepEqual(readAll(Buffer.concat(list)).entries, []);
      }),
      { numRuns: 1000 },
    );
  });
});

test('a magic before zeros, as a power cut leaves it, is no entry', () => {
  const written = encodeSpoolEntry(spoolEntry());
  const bytes = Buffer.concat([written, MAGIC, Buffer.alloc(508)]);
  assert.deepEqual(readAll(bytes), { entries: [spoolEntry()], damaged: 0, end: written.length });
});

test('lengths beyond what is ever written are not believed', () => {
  const body = Buffer.alloc(26 * 1024 * 1024 + 1);
  for (const entry of [spoolEntry({ path: 'x'.repeat(65_536) }), spoolEntry({}, body)])
    assert.deepEqual(readAll(encodeSpoolEntry(entry)).entries, []);
});

test('a body of 25 MiB, the most that GitHub sends, is read back', () => {
  const entry = spoolEntry({}, Buffer.alloc(25 * 1024 * 1024, 'x'));
  assert.equal(readAll(encodeSpoolEntry(entry)).entries[0]?.body.length, 25 * 1024 * 1024);
});

test('an entry stands on disk exactly as documented', () => {
  const entry = spoolEntry({}, 'body');
  const bytes = encodeSpoolEntry(entry);
  const meta = JSON.stringify(entry.record);
  assert.equal(bytes.subarray(0, 4).toString(), 'PUS1');
  assert.equal(bytes.readUInt32BE(4), meta.length);
  assert.equal(bytes.readUInt32BE(8), 4);
  assert.equal(bytes.subarray(HEADER_BYTES).toString(), `${meta}body`);
});
