import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FailureError, fail } from '../../shared/contract/outcome.ts';
import type { LiveReader } from '../tasks/live/live-reader.ts';

/** Streams of Server-Sent Events (HTML Standard, "Server-sent events") that are open. */
export type EventStreams = {
  /** Makes the answer to a request a stream. Throws MAINTENANCE in a stop and TOO_MANY_LISTENERS. */
  open(request: FastifyRequest, reply: FastifyReply): LiveReader;
  /** Ends those of callers who are not known any more. */
  recheck(): void;
  /** Ends every stream and takes no more: a stop does not wait for those who only listen. */
  close(): void;
};

/** Codes with which `open` refuses. */
export const STREAM_REFUSALS = ['MAINTENANCE', 'TOO_MANY_LISTENERS'] as const;

/** What a reader says that comes again. */
export const LAST_EVENT_ID = {
  'last-event-id': 'The id of the last event that was seen.',
} as const;

/** Proxies close what is silent for a minute, some earlier. */
const HEARTBEAT_MS = 15_000;
/** Of all kinds together: each is a connection and a descriptor. */
const MAX_STREAMS = 500;
/** A reader that lags so far behind does not read; it comes again and goes on where it was. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Until so little waits for it, a reader that catches up is not told more. */
const READY_BYTES = 64 * 1024;
/** How long one that catches up may take for that. */
const READY_WITHIN_MS = 30_000;
/** How soon a client that was cut off comes again. */
const RETRY_MS = 2_000;

const MAX_STUCK_BEATS = 4;
const HEARTBEAT = Buffer.from(': still here\n\n');

/** Opens streams, keeps them alive, and drops readers that do not read. */
export function createEventStreams({
  heartbeatMs = HEARTBEAT_MS,
  maxStreams = MAX_STREAMS,
  endWithinMs = READY_WITHIN_MS,
} = {}): EventStreams {
  const open = new Set<Reader>();
  let isClosed = false;
  const recheck = () => {
    for (const reader of open) reader.check();
  };
  const heartbeat = setInterval(() => {
    recheck();
    for (const reader of open) reader.beat();
  }, heartbeatMs);
  return {
    open(request, reply) {
      if (isClosed) throw new FailureError(fail('MAINTENANCE', 'The service stops.').failure);
      if (open.size >= maxStreams) {
        const { failure } = fail('TOO_MANY_LISTENERS', `There are ${open.size}.`);
        throw new FailureError(failure);
      }
      const { caller } = request;
      const isGood = () => caller?.isGood() ?? true;
      const reader = new Reader(begin(request, reply), { endWithinMs, isGood });
      open.add(reader);
      reader.onClose(() => open.delete(reader));
      return reader;
    },
    recheck,
    close() {
      isClosed = true;
      clearInterval(heartbeat);
      for (const reader of open) reader.end(Buffer.alloc(0));
    },
  };
}

/** Takes the response out of the hands of the framework, which would wait for its end. */
function begin(request: FastifyRequest, reply: FastifyReply): ServerResponse {
  reply.hijack();
  const { raw } = reply;
  // It has gone while we looked.
  if (raw.destroyed) return raw;
  // The end of the connection is the end of the answer (RFC 9112 §6.3): chunks would cost each reader three writes for one.
  raw.useChunkedEncodingByDefault = false;
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    // Not to be gathered by a proxy (nginx) until there is enough of it.
    'x-accel-buffering': 'no',
    'x-request-id': request.id,
    // Nothing follows on this connection.
    connection: 'close',
  });
  // A part of the first event, whenever that comes.
  raw.write(`retry: ${RETRY_MS}\n`);
  return raw;
}

class Reader implements LiveReader {
  readonly #response: ServerResponse;
  readonly #endWithinMs: number;
  readonly #isGood: () => boolean;
  /** What waited for it at the last heartbeats. */
  #waiting = 0;
  #stuckBeats = 0;

  constructor(
    response: ServerResponse,
    { endWithinMs, isGood }: { readonly endWithinMs: number; readonly isGood: () => boolean },
  ) {
    this.#response = response;
    this.#endWithinMs = endWithinMs;
    this.#isGood = isGood;
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  send(frames: Buffer): void {
    if (!this.isOpen) return;
    // However much is told at once: it counts only when the next comes.
    if (this.#response.writableLength > MAX_BUFFERED_BYTES) this.#response.destroy();
    else this.#response.write(frames);
  }

  /** One whose caller is not known any more is told nothing from now on. */
  check(): void {
    if (!this.#isGood()) this.#response.destroy();
  }

  /** One for which the same waits again and again does not read, and would keep its place for ever. */
  beat(): void {
    const waiting = this.#response.writableLength;
    this.#stuckBeats = waiting > 0 && waiting >= this.#waiting ? this.#stuckBeats + 1 : 0;
    this.#waiting = waiting;
    if (this.#stuckBeats >= MAX_STUCK_BEATS) this.#response.destroy();
    else if (waiting === 0) this.send(HEARTBEAT);
  }

  end(frames: Buffer): void {
    if (!this.isOpen) return;
    this.#response.end(frames);
    // Until then it has to have read what waits for it.
    const timer = setTimeout(() => this.#response.destroy(), this.#endWithinMs);
    this.#response.once('close', () => clearTimeout(timer));
  }

  async ready(): Promise<boolean> {
    // Others have their turn, however fast it reads.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.#response.writableLength > READY_BYTES) await this.#untilDrained();
    return this.isOpen;
  }

  onClose(listener: () => void): void {
    if (this.#response.destroyed) listener();
    else this.#response.once('close', listener);
  }

  #untilDrained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#response.destroy(), READY_WITHIN_MS);
    const done = () => {
      clearTimeout(timer);
      this.#response.off('drain', done).off('close', done);
      resolve();
    };
    this.#response.once('drain', done).once('close', done);
    return promise;
  }
}
