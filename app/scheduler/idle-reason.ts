import type { Store } from '../db/store.ts';
import { listExpecting } from '../tasks/expecting-units.ts';
import { listAutoUpdated } from '../tasks/run-auto-update.ts';
import type { KnownUnits } from '../units/known-units.ts';
import type { IdleReason } from './scheduled-tasks.ts';

/** Says of the jobs that are about units why there is nothing to do, by the units that are known. */
export function createIdleReason(known: KnownUnits, store: Pick<Store, 'trackedTags'>): IdleReason {
  return (job) => {
    switch (job) {
      case 'auto-update':
        return listAutoUpdated(known).length === 0
          ? 'No unit that may be deployed by the clock has AutoUpdate=registry.'
          : undefined;
      case 'missed-deliveries':
        return listExpecting(store, known).length === 0
          ? 'No unit was deployed by a webhook, nor asks for that.'
          : undefined;
      case 'check-updates':
      case 'reconcile':
        return known.all().length === 0 ? 'No unit is known.' : undefined;
      default:
        return undefined;
    }
  };
}
