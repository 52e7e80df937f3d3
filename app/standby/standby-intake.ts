import type { Outcome } from '../../shared/contract/outcome.ts';
import { type DeliverySender, deliveryKey } from '../domain/delivery-key.ts';
import type { AcceptDeliveries } from '../intake/keep-delivery.ts';
import type { SpoolEntry } from '../intake/spool-format.ts';
import { SpoolWriter } from '../intake/spool-writer.ts';

/** Repetitions are known of this many deliveries; a sender repeats within seconds. */
const MAX_REMEMBERED = 10_000;

/**
 * The way of webhooks without the database: into the spool, from where the next worker takes them over. What was
 * accepted before this process began is not known here, so a repetition of that is accepted once more; its task then
 * finds nothing to do.
 */
export class StandbyIntake implements AcceptDeliveries {
  readonly #writer: SpoolWriter;
  /** Accepted deliveries by sender, id and unit, with the id of their record; the oldest is forgotten first. */
  readonly #fresh = new Map<string, string>();

  constructor(folder: string) {
    this.#writer = new SpoolWriter(folder, {
      onDurable: () => undefined,
      onFinished: () => undefined,
    });
  }

  findDuplicate(sender: DeliverySender, delivery: string, unit: string): string | undefined {
    return this.#fresh.get(deliveryKey(sender, delivery, unit));
  }

  async accept(entry: SpoolEntry): Promise<Outcome<void>> {
    const { record } = entry;
    const sender = { source: record.source, hook: record.hook?.name };
    const key = deliveryKey(sender, record.delivery, record.unit);
    const isWork = record.verdict.verdict === 'accepted';
    if (isWork) this.#remember(key, record.id);
    const outcome = await this.#writer.append(entry);
    if (isWork && !outcome.ok && this.#fresh.get(key) === record.id) this.#fresh.delete(key);
    return outcome;
  }

  /** Waits for the disk. */
  close(): Promise<void> {
    return this.#writer.close();
  }

  #remember(key: string, id: string): void {
    this.#fresh.set(key, id);
    const [oldest] = this.#fresh.keys();
    if (this.#fresh.size > MAX_REMEMBERED && oldest !== undefined) this.#fresh.delete(oldest);
  }
}
