import type { Readable } from 'node:stream';
import { parseWorkerNotice, type WorkerNotice } from '../../shared/contract/worker-messages.ts';

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
  let pending = '';
  let isOversized = false;
  let malformed = 0;

  const take = (part: string) => {
    isOversized ||= pending.length + part.length > MAX_MESSAGE_LENGTH;
    pending = isOversized ? '' : pending + part;
  };
  const finish = () => {
    const notice = isOversized ? undefined : parseWorkerNotice(parseJson(pending));
    pending = '';
    isOversized = false;
    if (notice) listener.notice(notice);
    else listener.malformed(++malformed);
  };

  channel.setEncoding('utf8');
  channel.on('data', (text: string) => {
    const lines = text.split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) {
      take(line);
      finish();
    }
    take(last);
  });
  // The end of the worker is learnt from the kernel; a channel that breaks says nothing more.
  channel.on('error', () => {});
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
