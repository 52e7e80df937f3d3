import type { FastifyInstance } from 'fastify';
import type { Loaded } from '../shared/config/load-settings.ts';
import type { Settings } from '../shared/config/settings.ts';
import type { Failure } from '../shared/contract/outcome.ts';
import type { StatePaths } from '../shared/contract/state-paths.ts';
import { runCommand } from '../shared/process/run-command.ts';
import { openUpdateChecks } from './checks/open-update-checks.ts';
import { unitToCheck } from './checks/see-units.ts';
import type { UpdateChecks } from './checks/update-checks.ts';
import type { Store } from './db/store.ts';
import { withTag } from './domain/image-reference.ts';
import { policyDefaults } from './domain/unit-policy.ts';
import type { EventWriter } from './events/event-writer.ts';
import type { SystemEvents } from './events/system-events.ts';
import { createHealth, type Health } from './health/create-health.ts';
import { findRegistryFailure } from './health/find-registry-failure.ts';
import { type AttentionParts, readAttention } from './health/read-attention.ts';
import type { HookBook } from './hooks/hook-book.ts';
import type { HookAdmin } from './hooks/manage-hooks.ts';
import type { Host } from './host/host.ts';
import { readUnit } from './host/read-unit.ts';
import { readUnitPolicy } from './host/read-unit-policy.ts';
import { createUnitCatalog, type UnitCatalog } from './host/unit-catalog.ts';
import type { AdminGate } from './http/admin-gate.ts';
import { registerAdminApi } from './http/routes/admin-api.ts';
import { registerAttentionApi } from './http/routes/attention-api.ts';
import { registerDeliveriesApi } from './http/routes/deliveries-api.ts';
import { registerDeploymentsApi } from './http/routes/deployments-api.ts';
import { registerEventsApi } from './http/routes/events-api.ts';
import { registerHealth } from './http/routes/health.ts';
import { registerHooksApi } from './http/routes/hooks-api.ts';
import { registerManualApi } from './http/routes/manual-api.ts';
import { registerScheduleApi } from './http/routes/schedule-api.ts';
import { registerServicesApi } from './http/routes/services-api.ts';
import { registerSessionApi } from './http/routes/session-api.ts';
import { registerTasksApi } from './http/routes/tasks-api.ts';
import { registerTokensApi } from './http/routes/tokens-api.ts';
import { registerUpdateChecksApi } from './http/routes/update-checks-api.ts';
import type { AcceptDeliveries } from './intake/keep-delivery.ts';
import type { JoinedAccess } from './join-access.ts';
import { findLimited, type LimitParts, registerLimits } from './join-limits.ts';
import { findJobTroubles } from './scheduler/find-troubles.ts';
import { createIdleReason } from './scheduler/idle-reason.ts';
import { createRunJob } from './scheduler/run-job.ts';
import { viewSchedule } from './scheduler/view-schedule.ts';
import { createLookUp } from './tasks/create-look-up.ts';
import type { TimerGuards } from './tasks/create-timer-guards.ts';
import { autoUpdateWindowsOf } from './tasks/limit-rate.ts';
import { createManualActions } from './tasks/manual-actions.ts';
import { createManualDeployments, type ManualDeployments } from './tasks/manual-deployments.ts';
import type { TaskDispatcher } from './tasks/task-dispatcher.ts';
import type { UnitDiscovery } from './units/discover-units.ts';
import { hostKey } from './units/host-key.ts';
import { keepForStandby } from './units/keep-for-standby.ts';
import { type KnownUnits, openKnownUnits } from './units/known-units.ts';
import { openDiscovery } from './units/open-discovery.ts';
import { refreshImages } from './units/refresh-images.ts';
import { createAskSupervisor } from './updates/ask-supervisor.ts';
import { readUpdateState } from './updates/read-update-state.ts';

/** What people and the command line ask is answered with. */
export type AdminParts = LimitParts & {
  readonly store: Store;
  readonly events: Pick<EventWriter, 'settle'>;
  readonly dispatcher: Pick<TaskDispatcher, 'tell' | 'kill'>;
  readonly guards: Pick<TimerGuards, 'release'>;
  readonly gate: AdminGate;
  readonly access: Pick<JoinedAccess, 'book' | 'fixed'>;
  readonly health: Pick<Health, 'check' | 'checkOwn'>;
  readonly known: KnownUnits;
  readonly manual: ManualDeployments;
  readonly checks: UpdateChecks;
  readonly discovery: UnitDiscovery;
  readonly units: UnitCatalog;
  readonly intake: AcceptDeliveries;
  readonly book: Pick<HookBook, 'find'>;
  readonly hooks: HookAdmin;
  /** Whether GitHub can be asked for failed deliveries; absent where nobody does. */
  readonly asksGithub?: () => boolean;
};

/** Joins every route that works on the state to it: the worker serves them, and the command line asks them. */
export function registerAdminRoutes(
  app: FastifyInstance,
  { settings, paths }: Pick<Loaded, 'settings' | 'paths'>,
  parts: AdminParts,
): void {
  const { store, events, dispatcher, guards, gate, health, known, manual, units } = parts;
  const { checks, discovery, access } = parts;
  registerAdminApi(app, {
    store,
    gate,
    release: (unit, digest) => guards.release(unit, digest),
  });
  registerEventsApi(app, { store, events, gate });
  registerTasksApi(app, { store, gate, settings, known, deployments: manual, dispatcher });
  registerDeliveriesApi(app, {
    ...{ store, gate },
    replay: {
      ...{ store, intake: parts.intake, book: parts.book },
      units: { ...units, list: () => known.list('webhook') },
    },
  });
  registerDeploymentsApi(app, { known, deployments: manual, gate });
  const actions = createManualActions({
    ...{ store, deployments: manual, known, autoUpdateUnit: settings.autoUpdateUnit },
    windows: autoUpdateWindowsOf(settings),
    factsOf: async (unit) => {
      const facts = units.facts(unit);
      return facts.state === 'not-looked-up' ? units.refresh(unit) : facts;
    },
  });
  registerManualApi(app, { actions, gate, autoUpdateUnit: settings.autoUpdateUnit });
  registerUpdateChecksApi(app, { checks, gate });
  registerLimits(app, settings, parts);
  registerServicesApi(app, {
    gate,
    services: {
      ...{ known, discovery, autoDiscover: settings.autoDiscover },
      autoUpdateUnit: settings.autoUpdateUnit,
      listSweeps: () => store.discovered.listSweeps(hostKey(settings)),
      listUpdates: () => new Map(checks.list({}).checks.map(({ unit, update }) => [unit, update])),
      checkNow: () => checks.checkNow(undefined),
    },
  });
  registerScheduleApi(app, {
    gate,
    view: () => viewSchedule(store, settings, Date.now()),
    run: createRunJob({
      ...{ store, maintain: manual.maintain },
      ask: createAskSupervisor(undefined, paths),
      dryRun: settings.selfUpdateDryRun,
      idle: createIdleReason(known, store, parts.asksGithub),
    }),
  });
  registerAttentionApi(app, {
    gate,
    table: () => store.attention,
    read: () => readAttention(joinAttention(settings, paths, parts), Date.now()),
  });
  registerHooksApi(app, { gate, hooks: parts.hooks });
  registerSessionApi(app, { gate, known, sessions: access.book.sessions });
  registerTokensApi(app, { gate, tokens: access.book.tokens, fixed: access.fixed });
  registerHealth(app, {
    gate,
    checkOwn: () => health.checkOwn(),
    check: () => health.check(),
  });
}

/** Joins what wants a person to what knows of it. */
function joinAttention(settings: Settings, paths: StatePaths, parts: AdminParts): AttentionParts {
  const { store, health, hooks } = parts;
  return {
    ...{ store, settings, paths },
    health: () => health.check(),
    jobs: () => findJobTroubles(store, settings, Date.now()),
    hold: async () => (await readUpdateState(paths)).policy.hold,
    limits: () => findLimited(settings, parts, Date.now()),
    lockedHooks: () => hooks.listLocked(),
  };
}

/** Joins the units that are known to the store and the host, with what finds them. */
export function joinUnits(
  { settings, paths }: Pick<Loaded, 'settings' | 'paths'>,
  around: Pick<Parameters<typeof openDiscovery>[0], 'store' | 'host' | 'log'>,
  system?: Pick<SystemEvents, 'unitsChanged' | 'discoveryFailed'>,
) {
  const { store, host } = around;
  const known = openKnownUnits(settings, store);
  const discovery = openDiscovery({
    ...{ ...around, settings, known },
    onSwept: (change) => {
      system?.unitsChanged(change);
      keepForStandby(paths.foundUnits, hostKey(settings), known);
      // Who only calls once needs no more than was asked for.
      if (system) void refreshImages(known, units);
    },
    ...(system && { onFailure: system.discoveryFailed }),
  });
  const units = createUnitCatalog(known.admit, (unit) => readUnit(host.run, unit));
  return { known, discovery, units };
}

/** Joins deployments that a person asks for to the store and the host. */
export function joinManual(
  { settings }: Pick<Loaded, 'settings'>,
  store: Store,
  host: Host,
  parts: {
    readonly known: KnownUnits;
    readonly units: UnitCatalog;
    readonly onTask: () => void;
  },
) {
  const { known, units, onTask } = parts;
  const { run, isSystem, readInfo, readText } = host;
  const defaults = policyDefaults(settings);
  return createManualDeployments({
    store,
    known,
    autoUpdateUnit: settings.autoUpdateUnit,
    onTask,
    imageOf: (unit) => {
      const facts = units.facts(unit);
      return facts.state === 'known' ? withTag(facts.image) : null;
    },
    planParts: {
      run,
      isSystem,
      readInfo,
      readText,
      lookUp: createLookUp(host, settings.registryTimeoutMs, new AbortController().signal),
      readPolicy: (unit, files) => readUnitPolicy(host, unit, defaults, files),
    },
  });
}

/** Joins what health looks at. `database` is what is known to ail that. */
export function joinHealth(
  { settings, paths }: Pick<Loaded, 'settings' | 'paths'>,
  environment: NodeJS.ProcessEnv,
  parts: {
    readonly store: Store;
    readonly host: Host;
    readonly database?: () => Failure | undefined;
    readonly supervisor: () => Failure | undefined;
  },
): Health {
  const { store, host, supervisor } = parts;
  const database = () => {
    const known = parts.database?.();
    if (known) return known;
    const checked = store.check();
    return checked.ok ? undefined : checked.failure;
  };
  return createHealth({
    ...{ run: host.run, runHere: runCommand, environment, database },
    isSystem: host.isSystem,
    isRemote: settings.sshTarget !== undefined,
    stateDir: paths.stateDir,
    minFreeBytes: settings.minFreeBytes,
    newestAt: () => store.newestAt(),
    registry: () => findRegistryFailure(store, Date.now()),
    supervisor,
  });
}

/** Joins checks for updates of every known unit to the store and the host. */
export function joinChecks(
  { settings, paths }: Pick<Loaded, 'settings' | 'paths'>,
  store: Store,
  host: Host,
  { known, units }: { readonly known: KnownUnits; readonly units: UnitCatalog },
) {
  return openUpdateChecks({
    ...{ settings, store, host, dataDir: paths.dataDir },
    choose: (name) => known.choose('person', name),
    listUnits: () => listImages({ known, units }),
  });
}

/** All known units with their images, from memory; by the service manager, else by their files. */
export function listImages({ known, units }: Pick<AdminParts, 'known' | 'units'>) {
  return known.all().map((one) => {
    const facts = units.facts(one.unit);
    return unitToCheck(one, facts.state === 'known' ? facts.image : undefined);
  });
}
