import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MarkFilter } from '../../../../app/host/ssh/mark-filter.ts';

const NONCE = '0011223344556677';
const BEGAN = `podup-${NONCE} began 0;`;
const EXITED = `podup-${NONCE} exited 3;`;

/** What comes out where the text comes in pieces that end at `cuts`. */
function filter(text: string, cuts: readonly number[]): string {
  const bytes = Buffer.from(text);
  const heard: Buffer[] = [];
  const one = new MarkFilter(NONCE, (chunk) => heard.push(chunk));
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    one.add(bytes.subarray(from, end));
    from = end;
  }
  one.end();
  return Buffer.concat(heard).toString();
}

describe('mark filter', () => {
  test('however it is cut, what the command said comes out, and nothing else', () => {
    const words = fc.constantFrom('a', 'é', '\n', 'podup-', '; ', 'began 0;', '€');
    const said = fc.array(words, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(said, said, fc.array(fc.nat(200), { maxLength: 8 }), (before, own, cuts) => {
        assert.equal(filter(`${before}${BEGAN}${own}${EXITED}`, cuts), own);
      }),
    );
  });

  test('a line without an end is not kept until there is one', () => {
    const heard: number[] = [];
    const one = new MarkFilter(NONCE, (chunk) => heard.push(chunk.length));
    one.add(Buffer.from(`${BEGAN}${'x'.repeat(20_000)}`));
    assert.deepEqual(heard, [20_000 - 200]);
    one.add(Buffer.from(EXITED));
    one.end();
    assert.equal(
      heard.reduce((a, b) => a + b),
      20_000,
    );
  });

  test('nor is a mark cut in two there', () => {
    for (let length = 150; length < 260; length++) {
      const own = 'x'.repeat(9_000);
      assert.equal(
        filter(`${BEGAN}${own}${EXITED}${'y'.repeat(length)}`, [9_000 + 2 * 32 + length]),
        `${own}${'y'.repeat(length)}`,
      );
    }
  });

  test('of a command that has not begun nothing comes', () => {
    assert.equal(filter(`Warning: host\n${'podup-other began 0;'}\nno`, []), '');
  });
});
