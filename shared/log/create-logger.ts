import { type Logger, destination as openDestination, pino, stdTimeFunctions } from 'pino';
import { maskSecrets } from './mask-secrets.ts';
import { redactKeys } from './redact-keys.ts';

/** What a logger is made from. */
export type LoggerOptions = {
  /** The process, as in `supervisor` or `http-server`. */
  readonly name: string;
  /** The least important level that is written; one of `LOG_LEVELS`. */
  readonly level: string;
  /** Values that must never be written, in whatever form. */
  readonly secrets: readonly string[];
  /** Where the lines go; stdout, written at once, where not given. */
  readonly destination?: { write(line: string): unknown };
};

/**
 * Makes the log of a process: one JSON object a line, with an ISO time and the level as a word. Each line passes two
 * walls before it is written: values of keys that are secret by name, and secrets by value.
 */
export function createLogger(options: LoggerOptions): Logger {
  const mask = maskSecrets(options.secrets);
  const sink = options.destination ?? openDestination({ dest: 1, sync: true });
  return pino(
    {
      name: options.name,
      level: options.level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line: string) => sink.write(mask(redactKeys(line))) },
  );
}
