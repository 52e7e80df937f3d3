import type { Store } from '../db/store.ts';
import type { KnownUnits } from '../units/known-units.ts';

/**
 * The units that deliveries are expected for: those that webhooks may deploy and that were deployed by one before, or ask for
 * them (`WebhookEnabled=yes`). Of any other unit nobody has said that a push of its image is to be deployed.
 */
export function listExpecting(
  store: Pick<Store, 'trackedTags'>,
  known: KnownUnits,
): readonly string[] {
  const tracked = new Set(store.trackedTags.list().map(({ unit }) => unit));
  return known
    .list('webhook')
    .filter((unit) => tracked.has(unit) || known.find(unit)?.marks?.webhookEnabled === true);
}
