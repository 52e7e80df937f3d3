import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatCsvLine } from '../../../app/domain/csv.ts';

describe('a cell of CSV', () => {
  const CELLS: readonly [title: string, cell: string | number | null, text: string][] = [
    ['nothing', null, ''],
    ['an empty text', '', ''],
    ['a number', 12.5, '12.5'],
    ['a number below zero', -1, '-1'],
    ['a plain text', 'a b', 'a b'],
    ['a text that is no ASCII', 'é\u{1f600}', 'é\u{1f600}'],
    ['a comma', 'a,b', '"a,b"'],
    ['a quote', 'a"b', '"a""b"'],
    ['only a quote', '"', '""""'],
    ['a line feed', 'a\nb', '"a\nb"'],
    ['a carriage return', 'a\rb', '"a\rb"'],
    ['an equals sign', '=1+1', "'=1+1"],
    ['a plus', '+1', "'+1"],
    ['a minus', '-1', "'-1"],
    ['an at', '@SUM(A1)', "'@SUM(A1)"],
    ['a tab', '\t=1', "'\t=1"],
    ['a carriage return at the start', '\r=1', '"\'\r=1"'],
    ['a formula with a comma and quotes', '=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    ['an equals sign in the middle', 'a=1', 'a=1'],
  ];
  for (const [title, cell, text] of CELLS) {
    test(`with ${title}`, () => assert.equal(formatCsvLine([cell]), `${text}\r\n`));
  }

  test('stands beside the others of its line', () =>
    assert.equal(formatCsvLine(['a', null, 3, 'b,c']), 'a,,3,"b,c"\r\n'));
});
