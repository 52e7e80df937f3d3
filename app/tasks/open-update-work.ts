import type { Loaded } from '../../shared/config/load-settings.ts';
import { checkUpdates } from '../checks/check-updates.ts';
import { checkPartsOf } from '../checks/open-update-checks.ts';
import { unitToCheck } from '../checks/see-units.ts';
import { listChecks } from '../checks/view-checks.ts';
import type { Store } from '../db/store.ts';
import type { Host } from '../host/host.ts';
import { openKnownUnits } from '../units/known-units.ts';
import type { UpdateWork } from './maintenance-parts.ts';

/** Joins looking for updates to the store and the host, for a process that does it once. */
export function openUpdateWork(
  { settings, paths: { dataDir } }: Pick<Loaded, 'settings' | 'paths'>,
  store: Store,
  host: Host,
  onSecret: (secret: string) => void,
): UpdateWork {
  const known = openKnownUnits(settings, store);
  const toCheck = (unit: string) => unitToCheck(known.find(unit) ?? { unit, image: null });
  const listUnits = () => known.all().map((one) => unitToCheck(one));
  const parts = checkPartsOf({ settings, dataDir, store, host, listUnits });
  return {
    known,
    check: (units, { isForced, signal }) =>
      checkUpdates({ ...parts, signal, onSecret }, { isForced, ...(units && { units }) }),
    list: (units) => listChecks(store, units.map(toCheck), settings.updateStaleMs, Date.now()),
  };
}
