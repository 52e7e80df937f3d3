import { randomBytes } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { encodeSpoolEntry, type SpoolEntry } from './spool-format.ts';

/** A segment is closed beyond this size, so that what is done with can be deleted. */
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;
/** What may wait for the disk; more is refused, so that a stuck disk cannot eat the memory. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Told of the life of the spool. */
export type SpoolListener = {
  /** A sync made these entries durable, in this order. */
  onDurable(entries: readonly SpoolEntry[]): void;
  /** Nothing more is appended to the segment. */
  onFinished(segment: string): void;
};

type Waiting = {
  readonly entry: SpoolEntry;
  readonly bytes: Buffer;
  readonly settle: (outcome: Outcome<void>) => void;
};

type Segment = { readonly name: string; readonly file: FileHandle; durableBytes: number };

/**
 * Appends entries to the spool with group commit: everything that arrives while the disk is busy shares the next
 * write and the next sync. An entry is acknowledged only after its sync; when that fails, the whole group is refused
 * and the segment is given up, for after a failed fsync(2) its pages may be lost although a second one succeeds.
 */
export class SpoolWriter {
  readonly #folder: string;
  readonly #listener: SpoolListener;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #segment: Segment | undefined;
  /** Made ahead, so that nobody waits for the sync of the folder when the current one is full. */
  #next: Promise<Segment> | undefined;
  #flushing: Promise<void> | undefined;

  constructor(folder: string, listener: SpoolListener) {
    this.#folder = folder;
    this.#listener = listener;
  }

  /** Resolves when the entry is on disk, or with the reason why it is not and never will be. */
  append(entry: SpoolEntry): Promise<Outcome<void>> {
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      return Promise.resolve(
        fail('SPOOL_BACKLOG_FULL', `${this.#waiting.length} deliveries wait.`),
      );
    }
    const bytes = encodeSpoolEntry(entry);
    this.#waitingBytes += bytes.length;
    return new Promise((settle) => {
      this.#waiting.push({ entry, bytes, settle });
      this.#flushing ??= this.#flushAll();
    });
  }

  /** Waits for what is under way and closes the segment. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.#finishSegment();
    // One that could not be made is no matter any more.
    this.#segment = await this.#next?.catch(() => undefined);
    this.#next = undefined;
    await this.#finishSegment();
  }

  async #flushAll(): Promise<void> {
    // One turn of the event loop, so that requests which arrived together are committed together.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      this.#waitingBytes = 0;
      await this.#flush(group);
    }
    this.#flushing = undefined;
  }

  async #flush(group: readonly Waiting[]): Promise<void> {
    try {
      const segment = await this.#openSegment();
      const bytes = Buffer.concat(group.map((waiting) => waiting.bytes));
      await writeWhole(segment.file, bytes, segment.durableBytes);
      await segment.file.datasync();
      // What was deleted while it was open nobody will ever read.
      if (fstatSync(segment.file.fd).nlink === 0) throw new SegmentGone();
      segment.durableBytes += bytes.length;
      this.#listener.onDurable(group.map((waiting) => waiting.entry));
    } catch (error) {
      await this.#giveUpSegment();
      const outcome = describeSpoolError(error);
      for (const { settle } of group) settle(outcome);
      return;
    }
    for (const { settle } of group) settle(succeed(undefined));
  }

  async #openSegment(): Promise<Segment> {
    const current = this.#segment;
    if (current && current.durableBytes < MAX_SEGMENT_BYTES) {
      if (current.durableBytes > MAX_SEGMENT_BYTES / 2) this.#prepareNext();
      return current;
    }
    await this.#finishSegment();
    const next = this.#next ?? this.#makeSegment();
    this.#next = undefined;
    this.#segment = await next;
    return this.#segment;
  }

  #prepareNext(): void {
    if (this.#next !== undefined) return;
    this.#next = this.#makeSegment();
    // Whoever needs it is told; until then a failure is nobody's.
    this.#next.catch(() => undefined);
  }

  async #makeSegment(): Promise<Segment> {
    const time = Date.now().toString().padStart(15, '0');
    const name = `${time}-${process.pid}-${randomBytes(4).toString('hex')}.spool`;
    const file = await open(`${this.#folder}/${name}`, 'wx', 0o600);
    try {
      await this.#syncFolder();
    } catch (error) {
      await file.close();
      this.#listener.onFinished(name);
      throw error;
    }
    return { name, file, durableBytes: 0 };
  }

  /** Not the blocking kind: it takes as long as the disk has other things to write. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async #finishSegment(): Promise<void> {
    const segment = this.#segment;
    this.#segment = undefined;
    if (!segment) return;
    await segment.file.close();
    this.#listener.onFinished(segment.name);
  }

  /** Cuts off what was not acknowledged. Where even that fails, reading stops there or finds whole entries only. */
  async #giveUpSegment(): Promise<void> {
    const segment = this.#segment;
    this.#segment = undefined;
    if (!segment) return;
    await segment.file.truncate(segment.durableBytes).catch(() => undefined);
    await segment.file.close().catch(() => undefined);
    this.#listener.onFinished(segment.name);
  }
}

/** The file has no name any more. */
class SegmentGone extends Error {
  readonly code = 'ENOENT';
}

async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const result = await file.write(bytes, written, bytes.length - written, position + written);
    written += result.bytesWritten;
  }
}

function describeSpoolError(error: unknown) {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return fail(full ? 'SPOOL_DISK_FULL' : 'SPOOL_UNAVAILABLE', `The system said ${code}.`);
}
