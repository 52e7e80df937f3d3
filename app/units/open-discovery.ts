import type { Logger } from 'pino';
import type { Settings } from '../../shared/config/settings.ts';
import type { Store } from '../db/store.ts';
import { policyDefaults } from '../domain/unit-policy.ts';
import type { Host } from '../host/host.ts';
import { type DiscoveryParts, UnitDiscovery } from './discover-units.ts';
import { hostKey } from './host-key.ts';
import type { KnownUnits } from './known-units.ts';
import { sweepUnits } from './sweep-units.ts';
import { watchFolders } from './watch-folders.ts';

type Around = Pick<DiscoveryParts, 'onSwept' | 'onFailure'> & {
  readonly settings: Settings;
  readonly store: Store;
  readonly host: Host;
  readonly known: KnownUnits;
  readonly log: Logger;
};

/** Joins the discovery to the host: one of this machine is watched, another one only swept. */
export function openDiscovery({
  settings,
  store,
  host,
  known,
  log,
  ...told
}: Around): UnitDiscovery {
  const defaults = policyDefaults(settings);
  const { containerDir, sshTarget, discoverySweepMs: everyMs } = settings;
  return new UnitDiscovery({
    ...{ store, known, everyMs, log, host: hostKey(settings) },
    sweep: (signal) => sweepUnits({ host, defaults, containerDir, signal }),
    ...(sshTarget === undefined && { watch: (onChange) => watchFolders({ onChange, log }) }),
    ...told,
  });
}
