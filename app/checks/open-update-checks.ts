import { join } from 'node:path';
import type { Settings } from '../../shared/config/settings.ts';
import type { Outcome } from '../../shared/contract/outcome.ts';
import { lockFileWithin } from '../../shared/fs/lock-file.ts';
import type { Store } from '../db/store.ts';
import { policyDefaults } from '../domain/unit-policy.ts';
import type { Host } from '../host/host.ts';
import { CHECK_LIMIT_MS, type CheckParts } from './check-updates.ts';
import { readWishes } from './read-wishes.ts';
import type { UnitToCheck } from './see-units.ts';
import { createUpdateChecker, type UpdateChecker } from './update-checker.ts';
import { createUpdateChecks, type UpdateChecks } from './update-checks.ts';

/** What a check may take before its first question of a registry. */
const HOST_LIMIT_MS = 60_000;

/** What checks are joined to. */
export type CheckSurroundings = {
  readonly settings: Settings;
  /** Where the lock lies that processes share. */
  readonly dataDir: string;
  readonly store: Pick<Store, 'updateChecks' | 'registryAnswers' | 'transact'>;
  readonly host: Host;
  /** The units that updates are looked for. */
  readonly listUnits: () => readonly UnitToCheck[];
  /** The unit that somebody names (`web`, `web.service`). */
  readonly choose: (name: string) => Outcome<string>;
};

/** Joins checks for updates to the store and the host. */
export function openUpdateChecks(
  around: CheckSurroundings,
): UpdateChecks & Pick<UpdateChecker, 'check' | 'close'> {
  const { settings, store, choose, listUnits } = around;
  const checker = createUpdateChecker(checkPartsOf(around));
  const { updateStaleMs: staleMs } = settings;
  return { ...createUpdateChecks({ store, checker, listUnits, choose, staleMs }), ...checker };
}

/** The parts of one check, for a process that makes just one; it adds the signal that gives it up. */
export function checkPartsOf({
  settings,
  dataDir,
  store,
  host,
  listUnits,
}: Omit<CheckSurroundings, 'choose'>): Omit<CheckParts, 'signal'> {
  const defaults = policyDefaults(settings);
  return {
    store,
    host,
    units: listUnits,
    readWishes: (units) => readWishes(host, defaults, units),
    timeoutMs: settings.registryTimeoutMs,
    lock: async (signal) => {
      const path = join(dataDir, 'update-check.lock');
      const held = await lockFileWithin(path, CHECK_LIMIT_MS + HOST_LIMIT_MS, signal);
      // Without it a tag is asked for twice at the worst.
      return () => held.ok && held.value.release();
    },
  };
}
