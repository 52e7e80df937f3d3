import { type ExpectingStore, listExpecting } from '../tasks/expecting-units.ts';
import { listAutoUpdated } from '../tasks/run-auto-update.ts';
import type { KnownUnits } from '../units/known-units.ts';
import type { IdleReason } from './scheduled-tasks.ts';

/** Says of the jobs that are about units why there is nothing to do, by the units that are known. */
export function createIdleReason(
  known: KnownUnits,
  store: ExpectingStore,
  asksGithub: () => boolean = () => false,
): IdleReason {
  return (job) => {
    switch (job) {
      case 'auto-update':
        return listAutoUpdated(known).length === 0
          ? 'No unit that may be deployed by the clock has AutoUpdate=registry.'
          : undefined;
      case 'missed-deliveries':
        return listExpecting(store, known).length === 0 && !asksGithub()
          ? 'No unit was deployed by a webhook, asks for that, or is named by a hook.'
          : undefined;
      case 'check-updates':
      case 'reconcile':
        return known.all().length === 0 ? 'No unit is known.' : undefined;
      default:
        return undefined;
    }
  };
}
