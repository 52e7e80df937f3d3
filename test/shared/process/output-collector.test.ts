import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OutputCollector } from '../../../shared/process/output-collector.ts';

function collect(maxBytes: number, chunks: readonly Buffer[]): OutputCollector {
  const collector = new OutputCollector(maxBytes);
  for (const chunk of chunks) collector.add(chunk);
  return collector;
}

const chunks = fc.array(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 40 },
);

test('what fits is kept as it came, however it was cut into chunks', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 5 }), (text, step) => {
      const bytes = Buffer.from(text);
      const parts: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += step) parts.push(bytes.subarray(at, at + step));
      const collector = collect(Math.max(bytes.length, 1), parts);
      assert.equal(collector.text(), bytes.toString('utf8'));
      assert.equal(collector.dropped, 0);
    }),
  );
});

test('of what does not fit the beginning and the end are kept, and the rest is counted', () => {
  const collector = collect(10, [Buffer.from('0123456789abcdefghij')]);
  assert.equal(collector.text(), '01234\n[... 10 bytes left out ...]\nfghij');
  assert.equal(collector.dropped, 10);
});

test('a limit that is odd gives the end one byte more', () => {
  const collector = collect(3, [Buffer.from('abcdef')]);
  assert.equal(collector.text(), 'a\n[... 3 bytes left out ...]\nef');
});

test('a limit of one byte keeps the last one', () => {
  assert.equal(collect(1, [Buffer.from('abc')]).text(), '\n[... 2 bytes left out ...]\nc');
});

test('whatever comes, the bytes kept and the bytes dropped are all there were', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), chunks, (maxBytes, parts) => {
      // Latin letters only, so that one byte is one character and the text can be measured.
      const letters = parts.map((part) => part.map((byte) => 97 + (byte % 26)));
      const whole = Buffer.concat(letters).toString();
      const collector = collect(maxBytes, letters.map(Buffer.from));
      const dropped = Math.max(whole.length - maxBytes, 0);
      assert.equal(collector.dropped, dropped);
      const head = whole.slice(0, Math.floor(maxBytes / 2));
      const tail = whole.slice(whole.length - (maxBytes - head.length));
      const expected =
        dropped === 0 ? whole : `${head}\n[... ${dropped} bytes left out ...]\n${tail}`;
      assert.equal(collector.text(), expected);
    }),
  );
});

test('more can be added after the text was read', () => {
  const collector = collect(4, [Buffer.from('abcdef')]);
  collector.text();
  collector.add(Buffer.from('gh'));
  assert.equal(collector.text(), 'ab\n[... 4 bytes left out ...]\ngh');
});

test('a long stream of small chunks is held in bounded memory', () => {
  const collector = new OutputCollector(1000);
  for (let index = 0; index < 20_000; index++) collector.add(Buffer.alloc(100, 'x'));
  assert.equal(collector.dropped, 2_000_000 - 1000);
});
