import type { Logger } from 'pino';
import type { Failure } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import { UNIT_SOURCES, type UnitSource } from '../domain/found-unit.ts';
import type { KnownUnits } from './known-units.ts';
import type { Sweep, SweptFolders, sweepUnits } from './sweep-units.ts';
import type { FolderWatch } from './watch-folders.ts';

/** What has come and gone between two sweeps. */
export type UnitChange = { readonly added: readonly string[]; readonly removed: readonly string[] };

/** What the discovery works with. */
export type DiscoveryParts = {
  readonly store: Pick<Store, 'discovered' | 'transact'>;
  /** Whose units they are; see `hostKey`. */
  readonly host: string;
  readonly known: KnownUnits;
  readonly sweep: (signal: AbortSignal) => ReturnType<typeof sweepUnits>;
  /** Of this host; absent for another one, which is only swept. */
  readonly watch?: (onChange: () => void) => FolderWatch;
  readonly everyMs: number;
  readonly log: Logger;
  /** Told after each sweep which units have come and gone. */
  readonly onSwept?: (change: UnitChange) => void;
  /** Told of a place that can no longer be looked into. */
  readonly onFailure?: (source: UnitSource, failure: Failure) => void;
};

const MAX_LOGGED = 20;

/**
 * Keeps what is known of the units of the host: by a sweep at the start, after each change of a folder, and from time to
 * time. One sweep at a time; a change during one leads to one more.
 */
export class UnitDiscovery {
  readonly #parts: DiscoveryParts;
  /** What each place that cannot be looked into has said, so that it is complained of once. */
  readonly #failing = new Map<UnitSource, string>();
  readonly #closing = new AbortController();
  #sweeping: Promise<void> | undefined;
  #isWanted = false;
  #timer: NodeJS.Timeout | undefined;
  #watch: FolderWatch | undefined;
  /** Until everything was looked into once. */
  #onFirst: (() => void) | undefined;

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
  }

  /** Begins; nothing once it is closed. `onFirst` is told of each change until every place could be looked into once. */
  start(onFirst?: () => void): void {
    if (this.#timer || this.#closing.signal.aborted) return;
    this.#onFirst = onFirst;
    const { everyMs, watch } = this.#parts;
    this.#timer = setInterval(() => void this.#look(), everyMs);
    this.#watch = watch?.(() => {
      this.#isWanted = true;
      void this.#look();
    });
    void this.#look();
  }

  /** Sweeps now; who asks during a sweep waits for that one. Settles after `waitMs` in any case. */
  async refresh(waitMs: number): Promise<void> {
    const limit = Promise.withResolvers<void>();
    const waiting = setTimeout(limit.resolve, waitMs);
    await Promise.race([this.#look(), limit.promise]);
    clearTimeout(waiting);
  }

  /** Whether a sweep is on its way. */
  isSweeping(): boolean {
    return this.#sweeping !== undefined;
  }

  /** Settles when nothing is written any more; from then on the database may be closed. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#timer);
    await this.#watch?.close();
    await this.#sweeping;
  }

  #look(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    this.#sweeping ??= this.#sweepToEnd();
    return this.#sweeping;
  }

  #sweepToEnd(): Promise<void> {
    this.#isWanted = false;
    return this.#sweepOnce()
      .catch((error: unknown) => {
        // What was found before stays, and the next sweep comes.
        this.#parts.log.error({ err: error }, 'looking for units failed');
      })
      .finally(() => {
        this.#sweeping = undefined;
        if (this.#isWanted) void this.#look();
      });
  }

  async #sweepOnce(): Promise<void> {
    const { known, sweep, onSwept, log } = this.#parts;
    const came = await sweep(this.#closing.signal);
    if (this.#closing.signal.aborted) return;
    const before = namesOf(known);
    const hasChanged = this.#record(came.sweep);
    this.#tellFailures(came.sweep);
    this.#follow(came.folders);
    if (hasChanged) known.reload();
    const after = namesOf(known);
    const added = [...after].filter((unit) => !before.has(unit));
    const removed = [...before].filter((unit) => !after.has(unit));
    const few = { added: added.slice(0, MAX_LOGGED), removed: removed.slice(0, MAX_LOGGED) };
    if (hasChanged) log.info({ ...few, units: after.size }, 'what is known of units has changed');
    onSwept?.({ added, removed });
    if (hasChanged) this.#onFirst?.();
    if (UNIT_SOURCES.every((source) => came.sweep[source].ok)) this.#onFirst = undefined;
  }

  /** All places in one transaction; whether anything has changed. */
  #record(sweep: Sweep): boolean {
    const { store, host } = this.#parts;
    const now = Date.now();
    return store.transact(() => {
      const changes = UNIT_SOURCES.map((source) => {
        const came = sweep[source];
        if (came.ok) return store.discovered.record(host, source, came.value, now);
        store.discovered.fail(host, source, came.failure, now);
        return false;
      });
      return changes.includes(true);
    });
  }

  #tellFailures(sweep: Sweep): void {
    const { log, onFailure } = this.#parts;
    for (const source of UNIT_SOURCES) {
      const came = sweep[source];
      if (came.ok) {
        if (this.#failing.delete(source)) log.info({ source }, 'units are found again');
      } else if (this.#failing.get(source) !== came.failure.code) {
        this.#failing.set(source, came.failure.code);
        log.warn({ source, ...came.failure }, 'units cannot be looked for');
        onFailure?.(source, came.failure);
      }
    }
  }

  /** What the distribution installs changes with the whole system only. */
  #follow({ quadlet, units }: SweptFolders): void {
    this.#watch?.follow([...quadlet, ...units].filter((path) => !path.startsWith('/usr/')));
  }
}

function namesOf(known: KnownUnits): ReadonlySet<string> {
  return new Set(known.all().map(({ unit }) => unit));
}
