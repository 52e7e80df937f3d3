import { fail } from '../../shared/contract/outcome.ts';
import type { AcceptDeliveries } from './keep-delivery.ts';
import { SpoolWriter } from './spool-writer.ts';

/**
 * Takes deliveries into the spool while no worker runs, for the next one takes them over; repetitions are not known. Nothing is
 * opened before the first one.
 */
export function openSpoolOnly(
  prepare: () => string,
): AcceptDeliveries & { readonly close: () => Promise<void> } {
  let writer: SpoolWriter | undefined;
  const open = () =>
    new SpoolWriter(prepare(), { onDurable: () => undefined, onFinished: () => undefined });
  return {
    findDuplicate: () => undefined,
    async accept(entry) {
      try {
        writer ??= open();
      } catch (error) {
        return fail('SPOOL_UNAVAILABLE', String(error));
      }
      return writer.append(entry);
    },
    close: async () => {
      await writer?.close();
    },
  };
}
