import { writeFileDurably } from '../../shared/fs/durable-file.ts';
import type { ErrorLog } from '../../shared/log/error-log.ts';

/** Keeps the beginning of the last body whose signature did not fit, for a person who looks why. */
export type BadPayloads = {
  /** Takes a body; it is written after the request was answered, and not for each of a flood. */
  keep(body: Buffer): void;
  /** Writes what waits. */
  close(): void;
};

/** More than any push says; who sends more is no forge. */
const MAX_BYTES = 64 * 1024;
/** Anybody can send bad signatures, and each is a write to the disk. */
const EVERY_MS = 10_000;

/** Keeps it in a file. */
export function keepBadPayloads(path: string, log: ErrorLog, everyMs = EVERY_MS): BadPayloads {
  let waiting: Buffer | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    if (!waiting) return;
    const body = waiting;
    waiting = undefined;
    writtenAt = performance.now();
    try {
      writeFileDurably(path, body);
    } catch (error) {
      log.error({ err: error }, 'the body with a bad signature cannot be kept');
    }
  };
  return {
    keep(body) {
      // A copy: a part would keep all of it in memory.
      waiting = Buffer.from(body.subarray(0, MAX_BYTES));
      timer ??= setTimeout(write, Math.max(0, writtenAt + everyMs - performance.now()));
    },
    close: write,
  };
}
