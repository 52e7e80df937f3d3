import type { ErrorLog } from '../../shared/log/error-log.ts';
import type { NewEvent } from '../db/event-row.ts';

/** An event on its way. */
export type PendingEvent = NewEvent & {
  /** The delivery that it was about: the task that follows is known only once that is taken over. */
  readonly delivery_id?: string | null;
};

/** Where events go: the table, or the thread that writes it. */
export type EventSink = {
  /** All or none of them. */
  insertAll(events: readonly PendingEvent[]): void;
  /** Settles when everything that was handed over has been written. */
  settled?(): Promise<void>;
};

const FLUSH_EVERY_MS = 250;
/** Beyond this the writer no longer waits for its turn: memory is bounded whatever the load. */
const MAX_WAITING = 2_000;
/** While the database fails, the newest are kept and the loss is counted. */
const MAX_KEPT = 10_000;

/** Writes events in batches, off the request path; nothing is lost on a clean stop. */
export class EventWriter {
  readonly #sink: EventSink;
  readonly #log: ErrorLog;
  #waiting: PendingEvent[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(sink: EventSink, log: ErrorLog) {
    this.#sink = sink;
    this.#log = log;
  }

  record(event: PendingEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length % MAX_WAITING === 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_EVERY_MS);
  }

  /** Writes all that waits; on failure it waits for the next turn. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    try {
      this.#sink.insertAll(this.#waiting);
      this.#waiting = [];
    } catch (error) {
      const lost = Math.max(this.#waiting.length - MAX_KEPT, 0);
      this.#waiting = this.#waiting.slice(lost);
      this.#log.error({ err: error, lost }, 'writing events failed');
    }
  }

  /** Writes all that waits and waits until it can be read. */
  async settle(): Promise<void> {
    this.flush();
    await this.#sink.settled?.();
  }
}
