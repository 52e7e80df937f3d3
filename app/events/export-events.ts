import type { EventFilter } from '../db/event-pages.ts';
import { type EventRow, HASHED_COLUMNS } from '../db/event-row.ts';
import type { Store } from '../db/store.ts';
import { formatCsvLine } from '../domain/csv.ts';

/** JSON lines for programs, with all that is hashed; CSV for spreadsheets. */
export type ExportFormat = 'jsonl' | 'csv';

/** So many rows are in memory at a time. */
const ROWS_AT_A_TIME = 500;

const CSV_HEAD = [...HASHED_COLUMNS.map(toHeading), 'hash'];

/**
 * The events that fit, newest first, as text in parts of bounded size, each made when it is asked for; some are empty.
 * What is recorded meanwhile is not among them.
 */
export function* exportEvents(
  store: Pick<Store, 'events'>,
  filter: EventFilter,
  format: ExportFormat,
): Generator<string, void> {
  if (format === 'csv') yield formatCsvLine(CSV_HEAD);
  const toLine = format === 'csv' ? toCsvLine : toJsonLine;
  let before: number | null | undefined;
  while (before !== null) {
    const page = store.events.list({ ...filter, limit: ROWS_AT_A_TIME, before });
    yield page.rows.map(toLine).join('');
    before = page.next;
  }
}

/** A row as it is hashed. */
function toJsonLine(row: EventRow): string {
  const columns = HASHED_COLUMNS.map((column) => [column, row[column]]);
  return `${JSON.stringify({ ...Object.fromEntries(columns), hash: formatHash(row) })}\n`;
}

function toCsvLine(row: EventRow): string {
  const cells = HASHED_COLUMNS.map((column) => {
    if (column === 'ts') return new Date(row.ts).toISOString();
    return column === 'duration_us' ? row.duration_us / 1000 : row[column];
  });
  return formatCsvLine([...cells, formatHash(row)]);
}

function toHeading(column: (typeof HASHED_COLUMNS)[number]): string {
  if (column === 'ts') return 'time';
  return column === 'duration_us' ? 'duration_ms' : column;
}

function formatHash({ hash }: EventRow): string | null {
  return hash?.toString('hex') ?? null;
}
