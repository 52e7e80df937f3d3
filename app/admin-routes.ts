import type { FastifyInstance } from 'fastify';
import type { Loaded } from '../shared/config/load-settings.ts';
import type { RunCommand } from '../shared/process/run-command.ts';
import { openUpdateChecks } from './checks/open-update-checks.ts';
import type { UpdateChecks } from './checks/update-checks.ts';
import type { Store } from './db/store.ts';
import { findConfigured } from './domain/configured-unit.ts';
import { withTag } from './domain/image-reference.ts';
import { policyDefaults } from './domain/unit-policy.ts';
import type { EventWriter } from './events/event-writer.ts';
import { createHealthCheck, toCheck } from './host/health.ts';
import type { Host } from './host/host.ts';
import { readUnitPolicy } from './host/read-unit-policy.ts';
import type { UnitCatalog } from './host/unit-catalog.ts';
import type { AdminGate } from './http/admin-gate.ts';
import { registerAdminApi } from './http/routes/admin-api.ts';
import { registerDeploymentsApi } from './http/routes/deployments-api.ts';
import { registerEventsApi } from './http/routes/events-api.ts';
import { registerHealth } from './http/routes/health.ts';
import { registerTasksApi } from './http/routes/tasks-api.ts';
import { registerUpdateChecksApi } from './http/routes/update-checks-api.ts';
import { createLookUp } from './tasks/create-look-up.ts';
import type { TimerGuards } from './tasks/create-timer-guards.ts';
import { createManualDeployments, type ManualDeployments } from './tasks/manual-deployments.ts';
import type { TaskDispatcher } from './tasks/task-dispatcher.ts';

/** What people and the command line ask is answered with. */
export type AdminParts = {
  readonly store: Store;
  readonly events: Pick<EventWriter, 'settle'>;
  readonly dispatcher: Pick<TaskDispatcher, 'tell' | 'kill'>;
  readonly guards: Pick<TimerGuards, 'release'>;
  readonly gate: AdminGate;
  readonly run: RunCommand;
  readonly manual: ManualDeployments;
  readonly checks: UpdateChecks;
};

/** Joins every route that works on the state to it: the worker serves them, and the command line asks them. */
export function registerAdminRoutes(
  app: FastifyInstance,
  { settings, paths }: Pick<Loaded, 'settings' | 'paths'>,
  { store, events, dispatcher, guards, gate, run, manual, checks }: AdminParts,
): void {
  registerAdminApi(app, {
    store,
    gate,
    release: (unit, digest) => guards.release(unit, digest),
  });
  registerEventsApi(app, { store, events, gate });
  registerTasksApi(app, { store, gate, settings, deployments: manual, dispatcher });
  registerDeploymentsApi(app, { units: settings.units, deployments: manual, gate });
  registerUpdateChecksApi(app, { checks, gate });
  registerHealth(app, {
    gate,
    checkOwn: () => [toCheck('database', store.check())],
    check: createHealthCheck({
      run,
      checkDatabase: () => store.check(),
      stateDir: paths.stateDir,
      minFreeBytes: settings.minFreeBytes,
    }),
  });
}

/** Joins deployments that a person asks for to the store and the host. */
export function joinManual(
  { settings }: Pick<Loaded, 'settings'>,
  store: Store,
  host: Host,
  { units, onTask }: { readonly units: UnitCatalog; readonly onTask: () => void },
) {
  const { run, isSystem, readInfo } = host;
  const defaults = policyDefaults(settings);
  return createManualDeployments({
    store,
    units: settings.units,
    onTask,
    imageOf: (unit) => {
      const facts = units.facts(unit);
      return facts.state === 'known' ? withTag(facts.image) : null;
    },
    planParts: {
      run,
      isSystem,
      readInfo,
      lookUp: createLookUp(host, settings.registryTimeoutMs, new AbortController().signal),
      readPolicy: (unit, files) => readUnitPolicy(host, unit, defaults, files),
    },
  });
}

/** Joins checks for updates to the store and the host. */
export function joinChecks(
  { settings }: Pick<Loaded, 'settings'>,
  store: Store,
  host: Host,
  units: UnitCatalog,
) {
  return openUpdateChecks({
    ...{ settings, store, host },
    choose: (name) => findConfigured(settings.units, name),
    listUnits: () =>
      settings.units.map((unit) => {
        const facts = units.facts(unit);
        return { unit, image: facts.state === 'known' ? facts.image : undefined };
      }),
  });
}
