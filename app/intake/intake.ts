import type { Outcome } from '../../shared/contract/outcome.ts';
import type { Store } from '../db/store.ts';
import { type DeliverySender, deliveryKey } from '../domain/delivery-key.ts';
import type { SpoolEntry } from './spool-format.ts';
import type { OnTaken, TakenDelivery, Taker } from './spool-taker.ts';
import { SpoolWriter } from './spool-writer.ts';

type Options = {
  readonly folder: string;
  readonly store: Store;
  /** Starts what brings the spool into the database. */
  readonly startTaker: (onTaken: OnTaken) => Taker;
  /** Called after new tasks are in the database. */
  readonly onTasks: () => void;
};

/**
 * The way of accepted webhooks: durable in the spool first (that is what 2xx means), in the database soon after.
 * A database that fails delays the work; it neither refuses nor loses a delivery.
 */
export class Intake {
  readonly #store: Store;
  readonly #taker: Taker;
  readonly #writer: SpoolWriter;
  /** Accepted deliveries that the database does not have yet, by sender, id and unit, oldest first. */
  readonly #fresh = new Map<string, { readonly id: string; readonly at: number }>();

  constructor({ folder, store, startTaker, onTasks }: Options) {
    this.#store = store;
    this.#taker = startTaker((taken, tasksMade) => {
      for (const delivery of taken) this.#forget(delivery);
      if (tasksMade > 0) onTasks();
    });
    this.#writer = new SpoolWriter(folder, {
      onDurable: () => this.#taker.wake(),
      onFinished: (segment) => this.#taker.finish(segment),
    });
  }

  /** Takes over what an earlier process accepted. To be called before the first delivery. */
  recover(): void | Promise<void> {
    return this.#taker.recover();
  }

  /** Looks at the spool although nothing is new: what was kept during an update may go after it. */
  lookAgain(): void {
    this.#taker.wake();
  }

  /** The id of an earlier accepted delivery of this id to this unit whose task has not gone wrong. */
  findDuplicate(sender: DeliverySender, delivery: string, unit: string): string | undefined {
    const fresh = this.#fresh.get(deliveryKey(sender, delivery, unit));
    if (fresh !== undefined) return fresh.id;
    try {
      return this.#store.deliveries.findLive(sender, delivery, unit)?.id;
    } catch {
      // Without the database nobody knows; doing the same again is harmless, losing it is not.
      return undefined;
    }
  }

  /** Makes a delivery durable. Only after success may it be answered with 2xx. */
  async accept(entry: SpoolEntry): Promise<Outcome<void>> {
    const { record } = entry;
    const isWork = record.verdict.verdict === 'accepted';
    if (isWork) this.#fresh.set(keyOf(record), toFresh(record));
    const outcome = await this.#writer.append(entry);
    if (isWork && !outcome.ok) this.#forget(record);
    return outcome;
  }

  /** Deliveries of this process that wait for the database, and since when the oldest does; null where none waits. */
  waiting(): { readonly count: number; readonly oldestAt: number | null } {
    // They stand in the order in which they came.
    const [oldest] = this.#fresh.values();
    return { count: this.#fresh.size, oldestAt: oldest?.at ?? null };
  }

  /** Waits for the disk and takes over what is left, as far as the database lets us. */
  async close(): Promise<void> {
    await this.#writer.close();
    await this.#taker.close();
  }

  #forget(delivery: TakenDelivery): void {
    const key = keyOf(delivery);
    if (this.#fresh.get(key)?.id === delivery.id) this.#fresh.delete(key);
  }
}

function toFresh({ id, receivedAt }: SpoolEntry['record']) {
  return { id, at: receivedAt };
}

function keyOf({ source, hook, delivery, unit }: TakenDelivery): string {
  return deliveryKey({ source, hook: hook?.name }, delivery, unit);
}
