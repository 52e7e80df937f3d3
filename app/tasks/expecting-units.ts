import type { Store } from '../db/store.ts';
import { expectsDeliveries } from '../domain/expects-deliveries.ts';
import { parseQualifiedReference } from '../domain/image-reference.ts';
import type { KnownUnits } from '../units/known-units.ts';

/** What says of which units deliveries are expected. */
export type ExpectingStore = Pick<Store, 'trackedTags' | 'storedHooks'>;

/**
 * The units that deliveries are expected for: those that webhooks may deploy and that were deployed by one before, ask for
 * them (`WebhookEnabled=yes`), or that a hook is set up for. Of any other unit nobody has said that a push of its image is to be
 * deployed.
 */
export function listExpecting(store: ExpectingStore, known: KnownUnits): readonly string[] {
  const tracked = new Set(store.trackedTags.list().map(({ unit }) => unit));
  const hooks = store.storedHooks.list();
  const now = Date.now();
  return known.list('webhook').filter((unit) => {
    const found = known.find(unit);
    if (tracked.has(unit) || found?.marks?.webhookEnabled === true) return true;
    const image = found?.image == null ? undefined : parseQualifiedReference(found.image);
    return hooks.some((hook) => expectsDeliveries(hook, unit, image, now));
  });
}
