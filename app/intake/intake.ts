import type { Logger } from 'pino';
import type { Outcome } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import {
  deleteSegment,
  isOwnedByOther,
  listSegments,
  readSegment,
  setSegmentAside,
} from './segments.ts';
import type { SpoolEntry } from './spool-format.ts';
import { type DurableBatch, SpoolWriter } from './spool-writer.ts';
import { takeOver } from './take-over.ts';

/** Between two transactions under load: each costs a sync, and the request path shares the thread. */
const TAKE_OVER_EVERY_MS = 100;
/** After a failure of the database. The entries are safe in the spool meanwhile. */
const RETRY_MS = 2_000;
/** Entries kept in memory for the database; beyond it they are read from the spool again. */
const MAX_BACKLOG = 5_000;
const ENTRIES_PER_TRANSACTION = 500;

type Options = {
  readonly folder: string;
  readonly store: Store;
  readonly log: Logger;
  /** Called after new tasks are in the database. */
  readonly onTasks: () => void;
};

/**
 * The way of accepted webhooks: durable in the spool first (that is what 2xx means), in the database soon after.
 * A database that fails delays the work; it neither refuses nor loses a delivery.
 */
export class Intake {
  readonly #options: Options;
  readonly #writer: SpoolWriter;
  /** GUIDs of accepted deliveries that the database does not have yet, with the id of their record. */
  readonly #fresh = new Map<string, string>();
  #backlog: DurableBatch[] = [];
  #backlogEntries = 0;
  /** Set when the backlog outgrew the memory: the spool itself is read again. */
  #behind = false;
  #timer: NodeJS.Timeout | undefined;
  #lastTakeOver = Number.NEGATIVE_INFINITY;

  constructor(options: Options) {
    this.#options = options;
    this.#writer = new SpoolWriter(options.folder, (batch) => this.#remember(batch));
  }

  /** Takes over what an earlier process accepted. To be called before the first delivery. */
  recover(): void {
    this.#takeOverSpool();
  }

  /** The id of an earlier accepted delivery with this GUID whose task has not gone wrong. */
  findDuplicate(source: string, delivery: string): string | undefined {
    const fresh = this.#fresh.get(delivery);
    if (fresh !== undefined) return fresh;
    try {
      return this.#options.store.deliveries.findLive(source, delivery)?.id;
    } catch {
      // Without the database nobody knows; doing the same again is harmless, losing it is not.
      return undefined;
    }
  }

  /** Makes a delivery durable. Only after success may it be answered with 2xx. */
  async accept(entry: SpoolEntry): Promise<Outcome<void>> {
    const { record } = entry;
    const isWork = record.verdict.verdict === 'accepted';
    if (isWork) this.#fresh.set(record.delivery, record.id);
    const outcome = await this.#writer.append(entry);
    if (isWork && !outcome.ok) this.#fresh.delete(record.delivery);
    return outcome;
  }

  /** Waits for the disk and takes over what is left, as far as the database lets us. */
  async close(): Promise<void> {
    await this.#writer.close();
    clearTimeout(this.#timer);
    this.#takeOverAll();
    clearTimeout(this.#timer);
    try {
      this.#deleteFinished();
    } catch (error) {
      this.#options.log.error({ err: error }, 'deleting finished spool segments failed');
    }
  }

  #remember(batch: DurableBatch): void {
    if (!this.#behind) {
      this.#backlog.push(batch);
      this.#backlogEntries += batch.entries.length;
      if (this.#backlogEntries > MAX_BACKLOG) this.#fallBehind();
    }
    this.#schedule(this.#lastTakeOver + TAKE_OVER_EVERY_MS - performance.now());
  }

  #fallBehind(): void {
    this.#behind = true;
    this.#backlog = [];
    this.#backlogEntries = 0;
  }

  #schedule(delayMs: number): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#takeOverAll();
      },
      Math.max(delayMs, 1),
    );
  }

  #takeOverAll(): void {
    try {
      if (this.#behind) this.#takeOverSpool();
      else this.#takeOverBacklog();
      this.#lastTakeOver = performance.now();
    } catch (error) {
      this.#options.log.error({ err: error }, 'taking deliveries over into the database failed');
      this.#fallBehind();
      this.#schedule(RETRY_MS);
    }
  }

  #takeOverBacklog(): void {
    const batches = this.#backlog;
    this.#backlog = [];
    this.#backlogEntries = 0;
    while (batches.length > 0) {
      const { segment } = batches[0] as DurableBatch;
      const same = batches.findIndex((batch) => batch.segment !== segment);
      const group = batches.splice(0, same < 0 ? batches.length : same);
      this.#take(
        group.flatMap((batch) => batch.entries),
        segment,
        group.at(-1)?.end ?? 0,
      );
      if (segment !== this.#writer.currentSegment) this.#deleteFinished();
    }
  }

  #takeOverSpool(): void {
    for (const name of listSegments(this.#options.folder)) {
      const consumed = this.#options.store.segments.consumedBytes(name);
      const content = readSegment(this.#options.folder, name, consumed);
      for (let at = 0; at < content.entries.length; at += ENTRIES_PER_TRANSACTION) {
        const part = content.entries.slice(at, at + ENTRIES_PER_TRANSACTION);
        const isLast = at + ENTRIES_PER_TRANSACTION >= content.entries.length;
        // Until the last part is in, the position stays: a crash in between repeats, which changes nothing.
        this.#take(part, name, isLast ? content.end : consumed);
      }
      if (content.damaged > 0) this.#setAside(name, content.damaged);
    }
    this.#behind = false;
    this.#deleteFinished();
  }

  #take(entries: readonly SpoolEntry[], segment: string, end: number): void {
    const made = takeOver(this.#options.store, entries, { segment, end });
    for (const { record } of entries) {
      if (this.#fresh.get(record.delivery) === record.id) this.#fresh.delete(record.delivery);
    }
    // At once, for a later transaction may fail and these tasks would wait for nobody.
    if (made > 0) this.#options.onTasks();
  }

  #setAside(name: string, damaged: number): void {
    this.#options.log.error({ segment: name, damaged }, 'a spool segment is damaged; kept aside');
    if (name === this.#writer.currentSegment || isOwnedByOther(name)) return;
    setSegmentAside(this.#options.folder, name);
    this.#options.store.segments.forget(name);
  }

  /** Deletes every segment that holds nothing more and that nobody writes. */
  #deleteFinished(): void {
    const { folder, store } = this.#options;
    for (const name of listSegments(folder)) {
      if (name === this.#writer.currentSegment || isOwnedByOther(name)) continue;
      const rest = readSegment(folder, name, store.segments.consumedBytes(name));
      if (rest.entries.length > 0 || rest.damaged > 0) continue;
      deleteSegment(folder, name);
      store.segments.forget(name);
    }
  }
}
