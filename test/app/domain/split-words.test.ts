import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { splitWords } from '../../../app/domain/split-words.ts';

const ROWS: readonly (readonly [line: string, words: readonly string[] | undefined])[] = [
  ['', []],
  [' \t ', []],
  ['/bin/true', ['/bin/true']],
  ['  a  b\tc ', ['a', 'b', 'c']],
  ['a "b c" d', ['a', 'b c', 'd']],
  ["a 'b c' d", ['a', 'b c', 'd']],
  ['a"b c"d', ['ab cd']],
  ['""', ['']],
  ["a '' b", ['a', '', 'b']],
  [`"it's" 'say "x"'`, ["it's", 'say "x"']],
  ['a\\ b', ['a b']],
  ['a\\sb', ['a b']],
  ['"a\\"b" \\\\', ['a"b', '\\']],
  ['"\\$x \\`"', ['$x `']],
  ['\\n\\t', ['\n\t']],
  ['/a\\x20b', ['/a b']],
  ['t\\xc3\\xa9st', ['tést']],
  ['t\\303\\251st', ['tést']],
  // A literal backslash of a name that systemd-escape(1) made.
  ['"/a/x\\\\x2dy.d/1.conf"', ['/a/x\\x2dy.d/1.conf']],
  ['$HOME `id` ; | > *', ['$HOME', '`id`', ';', '|', '>', '*']],
  ['"open', undefined],
  ["it's", undefined],
  ['a\\', undefined],
  ['a \\q', undefined],
  ['\\xc3', undefined],
  ['\\x00', undefined],
  ['a\0b', undefined],
];
for (const [line, words] of ROWS)
  test(`${JSON.stringify(line)} is ${JSON.stringify(words) ?? 'refused'}`, () =>
    assert.deepEqual(splitWords(line), words));

test('words in double quotes come back as they were', () => {
  const word = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const line = words.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(' ');
      assert.deepEqual(splitWords(line), words);
    }),
  );
});
