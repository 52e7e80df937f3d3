import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PLAIN, type Screen } from '../../../../app/cli/output/screen.ts';
import { formatTable } from '../../../../app/cli/output/table.ts';

/** A screen that shows where a tone begins and ends. */
const marked = (columns: number): Screen => ({
  columns,
  paint: (tone, text) => `<${tone}>${text}</>`,
});

const ID = 'tsk_1m8ch0v4v0ed4ka7xz2';
const LONG = 'a summary that goes on for longer than any terminal is wide, and on';

describe('a table', () => {
  test('has columns as wide as their widest cell, and no room behind the last', () => {
    const table = formatTable(
      [
        ['a', 'bbb'],
        ['cc', ''],
      ],
      { head: ['ID', 'NAME'] },
    );
    assert.equal(table, 'ID  NAME\na   bbb\ncc');
  });

  test('is whole where nobody looks', () => {
    assert.equal(formatTable([[ID, LONG]], { screen: PLAIN }), `${ID}  ${LONG}`);
  });

  test('is cut to the terminal in its widest columns, and never in the first', () => {
    for (const columns of [60, 40, 20]) {
      const line = formatTable([[ID, 'web.service', LONG]], { screen: { ...PLAIN, columns } });
      assert.ok(line.startsWith(`${ID}  `));
      assert.match(line, /…$/);
      const narrowest = ID.length + 2 + 'web.service'.length + 2 + 12;
      assert.equal(line.length, Math.max(columns, narrowest));
    }
  });

  test('counts characters that take two columns, and those that take none', () => {
    const table = formatTable([
      ['部署', 'x'],
      ['ab', 'y'],
      ['e\u0301', 'z'],
    ]);
    assert.equal(table, '部署  x\nab    y\ne\u0301     z');
  });

  test('has nothing in it that moves the cursor', () => {
    assert.equal(formatTable([['a\u001b[2J\nb', 'c']]), 'a [2J b  c');
  });

  test('has its head and its words in colour, which take no room', () => {
    const table = formatTable([['a', 'failed', 'x']], {
      ...{ head: ['ID', 'S', 'N'], screen: marked(80) },
      tone: (cell) => (cell === 'failed' ? 'bad' : undefined),
    });
    assert.equal(table, '<head>ID</>  <head>S     </>  <head>N</>\na   <bad>failed</>  x');
  });
});
