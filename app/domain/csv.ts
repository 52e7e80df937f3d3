/** What a spreadsheet would take for a formula, or for the start of a cell of its own. */
const IS_FORMULA = /^[=+\-@\t\r]/;

/**
 * A line of CSV with its line end, as RFC 4180 has it; null is an empty cell. A text that a spreadsheet would compute
 * gets an apostrophe in front, by which it stays a text.
 */
export function formatCsvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(formatCell).join(',')}\r\n`;
}

function formatCell(cell: string | number | null): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = IS_FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
