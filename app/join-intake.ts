import type { Logger } from 'pino';
import type { Loaded } from '../shared/config/load-settings.ts';
import { type AdminParts, listImages } from './admin-routes.ts';
import { createDeliveryRecovery } from './github/delivery-recovery.ts';
import { Intake } from './intake/intake.ts';
import type { Recorder } from './recorder/start-recorder.ts';
import { createDeliverySearch } from './tasks/delivery-search.ts';

/** Joins what takes deliveries in to the database and the dispatcher, and to what finds what was pushed without one. */
export function joinIntake(
  { loaded, log }: { readonly loaded: Loaded; readonly log: Logger },
  recorder: Pick<Recorder, 'startTaker'>,
  joined: Pick<AdminParts, 'store' | 'known' | 'units'> & { readonly wake: () => void },
) {
  const { store, known, units, wake } = joined;
  const { webhookWindowMs: windowMs, missedDeliveriesCron } = loaded.settings;
  const recovery = createDeliveryRecovery({ store, log, settings: loaded.settings });
  const isDeployable = (unit: string) => known.admit('webhook', unit).allowed;
  const search = createDeliverySearch({
    ...{ store, log, known, windowMs, isOff: missedDeliveriesCron === 'off' },
    ...{ asksGithub: recovery.isOn, onTask: wake },
    listUnits: () => listImages({ known, units }).filter(({ unit }) => isDeployable(unit)),
  });
  const intake = new Intake({
    ...{ folder: loaded.paths.intakeDir, store },
    startTaker: (onTaken) => recorder.startTaker(onTaken),
    onTasks: () => {
      wake();
      search.afterDeliveries();
    },
  });
  return {
    intake,
    asking: { recovery, asksGithub: recovery.isOn },
    search: {
      /** See `DeliverySearch` and `DeliveryRecovery`: the log of the task has what GitHub was asked. */
      afterStart() {
        search.afterStart();
        recovery.afterStart();
      },
      /** Units were looked for after that. */
      afterDiscovery: () => search.afterDiscovery(),
      /** A person has made a task, of whatever kind. */
      afterManual() {
        wake();
        recovery.look();
      },
    },
  };
}
