import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readSection } from '../../../app/domain/unit-file.ts';

type Row = readonly [title: string, text: string, found: readonly (readonly [string, string])[]];
const ROWS: readonly Row[] = [
  ['nothing', '', []],
  ['a section that is not there', '[Unit]\nA=1\n', []],
  ['lines before any section', 'A=1\n', []],
  ['its lines only', '[Unit]\nB=2\n[X]\nA=1\n[Service]\nC=3', [['A', '1']]],
  [
    'a section that comes twice',
    '[X]\nA=1\n[Y]\nB=2\n[X]\nA=3\n',
    [
      ['A', '1'],
      ['A', '3'],
    ],
  ],
  ['another letter case', '[x]\nA=1\n', []],
  ['blanks around it all', '  [X]  \n\tA \t=  1 2\t \n', [['A', '1 2']]],
  ['CRLF', '[X]\r\nA=1\r\n', [['A', '1']]],
  ['a byte order mark', '\uFEFF[X]\nA=1\n', [['A', '1']]],
  ['comments', '[X]\n#B=2\n  ; B=3\nA=1 # x ; y\n', [['A', '1 # x ; y']]],
  ['a comment that ends in a backslash', '[X]\n# c \\\nA=1\n', [['A', '1']]],
  ['a value with equal signs', '[X]\nA=b=c\n', [['A', 'b=c']]],
  ['an empty value', '[X]\nA=\n', [['A', '']]],
  ['a line that assigns nothing', '[X]\nA\n', [['', '']]],
  ['a line without a key', '[X]\n=1\n', [['', '1']]],
  [
    'a continued line',
    '[X]\nA=1\\\n  2 \\\n3\nB=4',
    [
      ['A', '1   2  3'],
      ['B', '4'],
    ],
  ],
  ['a continued line in CRLF', '[X]\r\nA=1\\\r\n2\r\n', [['A', '1 2']]],
  ['a comment within a continued line', '[X]\nA=1\\\n# no\n; no\n2\n', [['A', '1 2']]],
  [
    'an escaped backslash at the end',
    '[X]\nA=1\\\\\nB=2\n',
    [
      ['A', '1\\\\'],
      ['B', '2'],
    ],
  ],
  ['three backslashes at the end', '[X]\nA=1\\\\\\\n2\n', [['A', '1\\\\ 2']]],
  ['a continued last line', '[X]\nA=1\\', [['A', '1']]],
  ['a header that continues a line of another section', '[Y]\nE=a \\\n[X]\nA=1\n', []],
];
for (const [title, text, found] of ROWS)
  test(`read: ${title}`, () =>
    assert.deepEqual(
      readSection(text, 'X').map(({ key, value }) => [key, value]),
      found,
    ));

test('a very long file is read in a moment', { timeout: 5_000 }, () => {
  const long = 200_000;
  assert.equal(readSection(`[X]\n${'A=1\\\n'.repeat(long)}`, 'X').length, 1);
  assert.equal(readSection(`[X]\nA=${'\\'.repeat(long)}x`, 'X').length, 1);
});

test('whatever assignments are written come back in their order', () => {
  const key = fc.stringMatching(/^[A-Z][A-Za-z]{0,9}$/);
  const value = fc.stringMatching(/^[a-z0-9=;#"]{0,20}$/);
  fc.assert(
    fc.property(fc.array(fc.record({ key, value }, { noNullPrototype: true })), (assignments) => {
      const lines = assignments.map((each) => `${each.key} = ${each.value}`);
      assert.deepEqual(readSection(`[X]\n${lines.join('\n')}`, 'X'), assignments);
    }),
  );
});
