import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Writes a generated page of docs/, or with --check says whether it has drifted (exit 1). */
export function writePage(name: string, content: string): void {
  const path = join(import.meta.dirname, '../docs', name);
  if (!process.argv.includes('--check')) writeFileSync(path, content);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== content) {
    console.error(`docs/${name} has drifted: run node scripts/${basename(process.argv[1] ?? '')}`);
    process.exitCode = 1;
  }
}

/** A table of Markdown. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | undefined)[])[],
): string {
  const line = (cells: readonly (string | undefined)[]) => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

/** Rows that differ in one column only, as one row with all that stands there. */
export function merge(
  rows: readonly (readonly string[])[],
  column: number,
  separator = ', ',
): readonly (readonly string[])[] {
  const keyOf = (row: readonly string[]) => JSON.stringify(row.with(column, ''));
  return [...Map.groupBy(rows, keyOf).values()].flatMap((group) => {
    const [first] = group;
    const cells = [...new Set(group.map((row) => row[column] ?? ''))];
    return first ? [first.with(column, cells.join(separator))] : [];
  });
}
