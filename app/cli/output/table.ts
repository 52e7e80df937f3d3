import { PLAIN, type Screen, type Tone } from './screen.ts';

/** What a table is besides its rows. */
export type TableForm = {
  readonly head?: readonly string[];
  readonly screen?: Screen;
  /** The colour of a cell, by what it says. */
  readonly tone?: (cell: string, column: number) => Tone | undefined;
};

const GAP = '  ';
/** A column that is cut keeps at least so much. */
const MIN_WIDTH = 12;
/** Characters that take two columns of a terminal, as far as they are likely here (Unicode Standard Annex #11). */
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
const MARK = /\p{Mark}/u;

/**
 * Rows as lines, each column as wide as its widest cell. On a terminal that is too narrow the widest columns are cut, but
 * never the first, which names the row. What would move the cursor of a terminal is left out.
 */
export function formatTable(rows: readonly (readonly string[])[], form: TableForm = {}): string {
  const { head, screen = PLAIN, tone } = form;
  const all = head ? [head, ...rows] : rows;
  const cells = all.map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}/gu, ' ')));
  const widths = fitWidths(measure(cells), screen.columns);
  const lines = cells.map((row, at) =>
    row.map((cell, column) => {
      const isLast = column === row.length - 1;
      const text = cut(cell, widths[column] ?? 0);
      const padded = isLast ? text : text + ' '.repeat((widths[column] ?? 0) - widthOf(text));
      const found = head && at === 0 ? 'head' : tone?.(cell, column);
      return found === undefined ? padded : screen.paint(found, padded);
    }),
  );
  return lines.map((line) => line.join(GAP).trimEnd()).join('\n');
}

function measure(cells: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of cells) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    }
  }
  return widths;
}

/** Takes from the widest until it fits, or nothing can be taken any more. */
function fitWidths(widths: readonly number[], columns = Number.POSITIVE_INFINITY): number[] {
  const fitted = [...widths];
  const gaps = GAP.length * (widths.length - 1);
  for (;;) {
    const over = fitted.reduce((sum, width) => sum + width, gaps) - columns;
    const widest = Math.max(...fitted.slice(1));
    if (over <= 0 || widest <= MIN_WIDTH) return fitted;
    fitted[fitted.lastIndexOf(widest)] = widest - 1;
  }
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  for (const character of text) {
    if (widthOf(kept + character) >= width) break;
    kept += character;
  }
  return `${kept}…`;
}

function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (!MARK.test(character)) width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}
