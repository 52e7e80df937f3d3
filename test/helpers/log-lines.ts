import { type Logger, pino } from 'pino';

/** One line of a log. */
export type LogLine = { readonly msg: string; readonly [field: string]: unknown };

/** A real logger that keeps what it writes. */
export function keepLog(): { readonly log: Logger; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}
