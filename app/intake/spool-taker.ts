import type { ErrorLog } from '../../shared/log/error-log.ts';
import type { Store } from '../db/store.ts';
import {
  deleteSegment,
  isOwn,
  isOwnedByOther,
  listSegments,
  readSegment,
  setSegmentAside,
} from './segments.ts';
import type { IntakeRecord, SpoolEntry } from './spool-format.ts';
import { type TakeOverRules, takeOver } from './take-over.ts';

/** Between two rounds under load: each costs a sync of the database, however many entries it takes. */
const TAKE_OVER_EVERY_MS = 100;
/** After a failure of the database. The entries are safe in the spool meanwhile. */
const RETRY_MS = 2_000;
/** Between two looks at what another process still writes: it tells nobody here what it appends, nor when it ends. */
const LOOK_AGAIN_MS = 1_000;
const ENTRIES_PER_TRANSACTION = 500;

/** A delivery that is in the database now. */
export type TakenDelivery = Pick<IntakeRecord, 'id' | 'unit' | 'delivery' | 'source' | 'hook'>;

/** Told after each transaction, with the number of tasks that it made. */
export type OnTaken = (taken: readonly TakenDelivery[], tasksMade: number) => void;

/** What brings the spool into the database, in this thread or in another. */
export type Taker = {
  /** Takes over what an earlier process accepted; fails where the database refuses it. */
  recover(): void | Promise<void>;
  /** Something new is durable in the spool. */
  wake(): void;
  /** Nothing more will be appended to a segment of this process. */
  finish(segment: string): void;
  /** Takes over what is left, as far as the database lets us. */
  close(): void | Promise<void>;
};

type Options = {
  readonly folder: string;
  readonly store: Store;
  readonly log: ErrorLog;
  readonly onTaken: OnTaken;
  readonly rules: TakeOverRules;
  /**
   * While an update is open its database may be replaced by an older one, which takes everything over again from its
   * own position: nothing is deleted then.
   */
  readonly isUpdateOpen?: () => boolean;
};

/**
 * Reads the spool from where it was taken over last and brings it into the database. The spool itself is the queue:
 * nothing is kept in memory, so a database that fails for long costs time and disk only.
 */
export class SpoolTaker implements Taker {
  readonly #options: Options;
  /** Segments of a dead process that had our number, known since before we wrote one. */
  readonly #inherited: ReadonlySet<string>;
  readonly #finished = new Set<string>();
  /** Seen to be damaged before they could be set aside. */
  readonly #damaged = new Set<string>();
  /** Read by us from their first byte, so that no damage in them is unknown. */
  readonly #readWhole = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** Not the same timer: what is new is not to wait for it. */
  #lookAgain: NodeJS.Timeout | undefined;
  #lastRound = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#inherited = new Set(listSegments(options.folder).filter(isOwn));
  }

  recover(): void {
    this.#takeOverAll();
  }

  wake(): void {
    this.#schedule(this.#lastRound + TAKE_OVER_EVERY_MS - performance.now());
  }

  /** Takes over at once what is durable by now, and not when its turn comes. */
  takeOverNow(): void {
    if (!this.#isClosed) this.#round();
  }

  finish(segment: string): void {
    this.#finished.add(segment);
    this.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#round();
    clearTimeout(this.#timer);
    clearTimeout(this.#lookAgain);
  }

  #schedule(delayMs: number): void {
    this.#timer ??= setTimeout(() => this.#round(), Math.max(delayMs, 1));
  }

  #round(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#takeOverAll();
    } catch (error) {
      this.#options.log.error({ err: error }, 'taking deliveries over into the database failed');
      this.#schedule(RETRY_MS);
    }
    this.#lastRound = performance.now();
  }

  #takeOverAll(): void {
    const { folder, isUpdateOpen } = this.#options;
    const isKept = isUpdateOpen?.() ?? false;
    const names = listSegments(folder);
    for (const name of names) {
      // Asked first: an owner that appends and ends in between must not lose what it appended.
      const isOver = this.#isOver(name);
      const rest = this.#takeOverSegment(name);
      if (!isOver || isKept) continue;
      if (rest > 0 || this.#isDamaged(name)) this.#setAside(name, rest);
      else this.#delete(name);
    }
    clearTimeout(this.#lookAgain);
    if (names.some(isOwnedByOther)) {
      this.#lookAgain = setTimeout(() => this.#round(), LOOK_AGAIN_MS);
    }
  }

  /** How many bytes at the end of the segment cannot be read. */
  #takeOverSegment(name: string): number {
    const { folder, store } = this.#options;
    const consumed = store.segments.consumedBytes(name);
    const { entries, end, damaged, rest } = readSegment(folder, name, consumed);
    for (let at = 0; at < entries.length; at += ENTRIES_PER_TRANSACTION) {
      const part = entries.slice(at, at + ENTRIES_PER_TRANSACTION);
      const isLast = at + ENTRIES_PER_TRANSACTION >= entries.length;
      // Until the last part is in, the position stays: a crash in between repeats, which changes nothing.
      this.#take(part, name, isLast ? end : consumed);
    }
    if (consumed === 0) this.#readWhole.add(name);
    if (damaged > 0) this.#damaged.add(name);
    return rest;
  }

  /** Damage in what an earlier process took over was known to that one only. */
  #isDamaged(name: string): boolean {
    if (this.#damaged.has(name)) return true;
    if (this.#readWhole.has(name)) return false;
    return readSegment(this.#options.folder, name, 0).damaged > 0;
  }

  #take(entries: readonly SpoolEntry[], segment: string, end: number): void {
    const made = takeOver(this.#options.store, entries, { segment, end }, this.#options.rules);
    // At once, for a later transaction may fail and these tasks would wait for nobody.
    this.#options.onTaken(
      entries.map(({ record: { id, unit, delivery, source, hook } }) => ({
        ...{ id, unit, delivery, source },
        ...(hook && { hook }),
      })),
      made,
    );
  }

  /** Whether nobody appends to the segment any more. */
  #isOver(name: string): boolean {
    if (isOwnedByOther(name)) return false;
    return !isOwn(name) || this.#inherited.has(name) || this.#finished.has(name);
  }

  #delete(name: string): void {
    deleteSegment(this.#options.folder, name);
    this.#forget(name);
  }

  /** What cannot be read may have been acknowledged, so it is kept for a person to look at. */
  #setAside(name: string, rest: number): void {
    setSegmentAside(this.#options.folder, name);
    this.#forget(name);
    const fields = { segment: name, unreadableBytesAtEnd: rest };
    this.#options.log.error(fields, 'a spool segment is damaged; kept aside');
  }

  #forget(name: string): void {
    this.#options.store.segments.forget(name);
    for (const names of [this.#finished, this.#damaged, this.#readWhole]) names.delete(name);
  }
}
