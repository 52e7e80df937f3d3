import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addressGroup } from '../../domain/address-group.ts';
import { type ConnectionLimits, isTooSlow } from '../../domain/connection-limits.ts';
import { type Connection, ConnectionPlaces, type Stage } from './connection-places.ts';

/** The closed list of why connections were ended before their time. */
export const CUT_REASONS = ['total', 'address', 'slow-head', 'slow-body', 'slow-reader'] as const;

/** Why a connection was ended. */
export type CutReason = (typeof CUT_REASONS)[number];

/** How it stands with the connections of a server. */
export type ConnectionState = {
  readonly limits: ConnectionLimits;
  readonly open: Readonly<Record<Stage, number>>;
  /** Those with the most connections, at most ten. */
  readonly addresses: readonly { readonly address: string; readonly open: number }[];
  /** How many were ended since the start. */
  readonly cut: Readonly<Record<CutReason, number>>;
  /** When the last one was, in milliseconds since the epoch; null: none was. */
  readonly cutAt: number | null;
};

/** Keeps the connections of a server within their limits. */
export type ConnectionGuard = {
  state(): ConnectionState;
  /** Looks no more at what is too slow. */
  close(): void;
};

type Options = {
  /** Addresses that speak for many: they have no limit of their own. */
  readonly isTrusted: (address: string) => boolean;
  /** Told when a connection was ended, once in a minute. */
  readonly onCut: (reason: CutReason, address: string) => void;
};

/** While requests arrive. */
const LOOK_EVERY_MS = 1_000;
/** While answers are worked on, or read. */
const LOOK_AT_ANSWERS_EVERY_MS = 15_000;
/** How long an answer may take to be read, once it is all written. */
const READ_WITHIN_MS = 60_000;
const TELL_EVERY_MS = 60_000;
const MAX_TOLD_ADDRESSES = 10;

/**
 * Keeps the connections of a server within their limits. There is always room for one more that has something to say: in a
 * full house whoever has been silent for longest goes. Nothing is looked at while nothing is waited for.
 */
export function guardConnections(
  server: Server,
  limits: ConnectionLimits,
  options: Options,
): ConnectionGuard {
  const guard = new Guard(server, limits, options);
  server.on('connection', (socket) => guard.accept(socket));
  server.on('request', (request, response) => guard.begin(request, response));
  return guard;
}

class Guard implements ConnectionGuard {
  readonly #server: Server;
  readonly #limits: ConnectionLimits;
  readonly #options: Options;
  readonly #all = new ConnectionPlaces();
  readonly #groups = new Map<string, ConnectionPlaces>();
  readonly #known = new WeakMap<Socket, Connection>();
  readonly #cut: Record<CutReason, number> = {
    total: 0,
    address: 0,
    'slow-head': 0,
    'slow-body': 0,
    'slow-reader': 0,
  };
  /** Of whom connections have come since there was made room the last time. */
  readonly #newcomers = new Set<string>();
  #trim: NodeJS.Immediate | undefined;
  #cutAt: number | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;
  #looks: NodeJS.Timeout | undefined;
  #looksAt = 0;

  constructor(server: Server, limits: ConnectionLimits, options: Options) {
    this.#server = server;
    this.#limits = limits;
    this.#options = options;
  }

  accept(socket: Socket): void {
    const remote = socket.remoteAddress;
    // It has gone already.
    if (remote === undefined) return;
    const connection: Connection = {
      ...{ socket, address: addressGroup(remote), stage: 'fresh', since: performance.now() },
      ...{ bytesBefore: 0, pending: 0, isCut: false },
    };
    this.#known.set(socket, connection);
    this.#add(connection);
    socket.once('close', () => this.#remove(connection));
    this.#look();
    if (this.#all.size > this.#limits.burst)
      this.#end(this.#all.findLeast(connection) ?? connection, 'total');
    if (!this.#options.isTrusted(remote)) this.#newcomers.add(connection.address);
    this.#trim ??= setImmediate(() => {
      this.#trim = setImmediate(() => this.#makeRoom());
    });
  }

  begin(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#known.get(request.socket);
    if (!connection) return;
    connection.pending++;
    Object.assign(connection, { request, response });
    this.#move(connection, hasBody(request) ? 'receiving' : 'answering');
    this.#look();
    response.once('close', () => {
      connection.pending--;
      // Of what was refused early the body may still arrive.
      if (connection.pending === 0 && request.complete) this.#rest(connection);
    });
  }

  state(): ConnectionState {
    const all = this.#all;
    const open = {
      ...{ fresh: all.count('fresh'), idle: all.count('idle') },
      ...{ receiving: all.count('receiving'), answering: all.count('answering') },
    };
    const addresses = [...this.#groups]
      .map(([address, { size }]) => ({ address, open: size }))
      .sort((a, b) => b.open - a.open || (a.address < b.address ? -1 : 1))
      .slice(0, MAX_TOLD_ADDRESSES);
    return { limits: this.#limits, open, addresses, cut: { ...this.#cut }, cutAt: this.#cutAt };
  }

  close(): void {
    clearTimeout(this.#looks);
    clearImmediate(this.#trim);
  }

  #add(connection: Connection): void {
    const { address } = connection;
    const group = this.#groups.get(address) ?? new ConnectionPlaces();
    this.#groups.set(address, group);
    group.add(connection);
    this.#all.add(connection);
  }

  #remove(connection: Connection): void {
    const group = this.#groups.get(connection.address);
    group?.remove(connection);
    if (group?.size === 0) this.#groups.delete(connection.address);
    this.#all.remove(connection);
  }

  #move(connection: Connection, stage: Stage): void {
    if (!this.#known.has(connection.socket) || connection.socket.destroyed) return;
    this.#remove(connection);
    connection.stage = stage;
    connection.since = performance.now();
    this.#add(connection);
  }

  #rest(connection: Connection): void {
    connection.bytesBefore = connection.socket.bytesRead;
    this.#move(connection, 'idle');
  }

  /**
   * Two turns after a connection was accepted, for what it has sent is read by then: whoever speaks is not taken for one of
   * those that say nothing, however many come at once.
   */
  #makeRoom(): void {
    this.#trim = undefined;
    for (const address of this.#newcomers) {
      const group = this.#groups.get(address);
      if (group) this.#shrink(group, this.#limits.perAddress, 'address');
    }
    this.#newcomers.clear();
    this.#shrink(this.#all, this.#limits.total, 'total');
  }

  /** As far as somebody can go: who is being answered stays. */
  #shrink(places: ConnectionPlaces, size: number, reason: CutReason): void {
    while (places.size > size) {
      const least = places.findLeast();
      if (!least) return;
      this.#end(least, reason);
    }
  }

  /** Its place is free at once. */
  #end(connection: Connection, reason: CutReason): void {
    this.#remove(connection);
    connection.socket.destroy();
    this.#count(connection, reason);
  }

  #count({ address }: Connection, reason: CutReason): void {
    this.#cut[reason]++;
    this.#cutAt = Date.now();
    if (performance.now() - this.#toldAt < TELL_EVERY_MS) return;
    this.#toldAt = performance.now();
    this.#options.onCut(reason, address);
  }

  /** Looks a little later, if anything is waited for then. */
  #look(): void {
    const isArriving = this.#all.count('fresh') + this.#all.count('receiving') > 0;
    if (!isArriving && this.#all.count('answering') === 0) return;
    const inMs = isArriving ? LOOK_EVERY_MS : LOOK_AT_ANSWERS_EVERY_MS;
    const at = performance.now() + inMs;
    if (this.#looks && this.#looksAt <= at) return;
    clearTimeout(this.#looks);
    this.#looksAt = at;
    this.#looks = setTimeout(() => {
      this.#looks = undefined;
      const now = performance.now();
      this.#endLateHeads(now);
      this.#endSlowBodies(now);
      this.#endSlowReaders(now);
      this.#look();
    }, inMs).unref();
  }

  #endLateHeads(now: number): void {
    for (const connection of [...this.#all.at('fresh')]) {
      // Those behind it have come later.
      if (now - connection.since < this.#limits.headTimeoutMs) break;
      this.#endLate(connection, 'slow-head');
    }
  }

  #endSlowBodies(now: number): void {
    for (const connection of [...this.#all.at('receiving')]) {
      const { request, socket, since, bytesBefore } = connection;
      const arrival = { elapsedMs: now - since, bytes: socket.bytesRead - bytesBefore };
      if (request?.complete && connection.pending === 0) this.#rest(connection);
      else if (request?.complete) this.#move(connection, 'answering');
      else if (connection.isCut || isTooSlow(arrival, this.#limits)) {
        this.#endLate(connection, 'slow-body');
      }
    }
  }

  /** An answer that is all written and does not get away is kept for nobody. */
  #endSlowReaders(now: number): void {
    for (const connection of [...this.#all.at('answering')]) {
      if (!connection.response?.writableEnded) connection.since = now;
      else if (now - connection.since > READ_WITHIN_MS) this.#end(connection, 'slow-reader');
    }
  }

  /** Who has begun to say something is told why it is cut off, and has until the next look to read it. */
  #endLate(connection: Connection, reason: CutReason): void {
    const { socket, response, isCut } = connection;
    if (isCut) {
      this.#remove(connection);
      socket.destroy();
    } else if (socket.bytesRead === 0 || response?.headersSent) this.#end(connection, reason);
    else {
      connection.isCut = true;
      this.#count(connection, reason);
      const error = Object.assign(new Error(reason), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      this.#server.emit('clientError', error, socket);
    }
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;
}
