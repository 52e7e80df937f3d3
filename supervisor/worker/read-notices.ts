import type { Readable } from 'node:stream';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { parseWorkerNotice, type WorkerNotice } from '../../shared/contract/worker-messages.ts';
import { readLines } from '../process/read-lines.ts';

/** The longest message of a worker, in UTF-16 units; a notice needs a tenth of it. */
export const MAX_MESSAGE_LENGTH = 4096;

/** Who is told of what a worker says. */
export type NoticeListener = {
  notice(notice: WorkerNotice): void;
  /** A message that is no notice was thrown away; `count` of them by now. */
  malformed(count: number): void;
};

/**
 * Reads the messages of a worker: JSON, one a line, as Node's IPC channel writes them. Whatever else comes is
 * counted and thrown away, and at most one message is held in memory.
 */
export function readNotices(channel: Readable, listener: NoticeListener): void {
  let malformed = 0;
  readLines(channel, MAX_MESSAGE_LENGTH, (line) => {
    const notice = line === undefined ? undefined : parseWorkerNotice(parseJson(line));
    if (notice) listener.notice(notice);
    else listener.malformed(++malformed);
  });
  // The end of the worker is learnt from the kernel; a channel that breaks says nothing more.
  channel.on('error', () => {});
}
