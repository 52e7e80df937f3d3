import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Where a connection stands: it has asked nothing yet; it is kept for a next request; a request with a body arrives, be it
 * answered already; the answer is worked on or sent.
 */
export type Stage = 'fresh' | 'idle' | 'receiving' | 'answering';

/** A connection that is open. */
export type Connection = {
  readonly socket: Socket;
  readonly address: string;
  stage: Stage;
  /** When it came to its stage, by the steady clock. */
  since: number;
  /** What had been read of it when a request was waited for. */
  bytesBefore: number;
  /** Requests whose answers are not sent. */
  pending: number;
  /** The last one. */
  request?: IncomingMessage;
  response?: ServerResponse;
  /** It was told to go, and has this one look to read why. */
  isCut: boolean;
};

/** Connections by their stage, of each the one first that has been there longest. */
export class ConnectionPlaces {
  readonly #stages: Readonly<Record<Stage, Set<Connection>>> = {
    fresh: new Set(),
    idle: new Set(),
    receiving: new Set(),
    answering: new Set(),
  };

  get size(): number {
    return Object.values(this.#stages).reduce((sum, { size }) => sum + size, 0);
  }

  /** How many are at a stage. */
  count(stage: Stage): number {
    return this.#stages[stage].size;
  }

  /** Those at a stage, the one first that has been there longest. */
  at(stage: Stage): Iterable<Connection> {
    return this.#stages[stage];
  }

  add(connection: Connection): void {
    this.#stages[connection.stage].add(connection);
  }

  remove(connection: Connection): void {
    this.#stages[connection.stage].delete(connection);
  }

  /**
   * The one whose end does least harm: for which has been waited longest, be it for its first request, the next one or the
   * rest of one; else one that does not read its answer, which is all written. Undefined where all are being answered. Never `except`.
   */
  findLeast(except?: Connection): Connection | undefined {
    const [idle] = this.#stages.idle;
    const fresh = firstOf(this.#stages.fresh, (connection) => connection !== except);
    const waitedFor = [idle, fresh, firstOf(this.#stages.receiving, isArriving)];
    const longest = waitedFor
      .filter((connection) => connection !== undefined)
      .reduce<Connection | undefined>((a, b) => (a && a.since <= b.since ? a : b), undefined);
    return longest ?? firstOf(this.#stages.answering, isUnread);
  }
}

function firstOf(
  connections: ReadonlySet<Connection>,
  fits: (connection: Connection) => boolean,
): Connection | undefined {
  for (const connection of connections) {
    if (fits(connection)) return connection;
  }
  return undefined;
}

function isArriving({ request }: Connection): boolean {
  return request?.complete === false;
}

function isUnread({ response }: Connection): boolean {
  return response?.writableEnded === true;
}
