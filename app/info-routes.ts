import type { FastifyInstance } from 'fastify';
import type { Loaded } from '../shared/config/load-settings.ts';
import { PROGRAM } from '../shared/config/program-version.ts';
import type { UpdateStatus } from '../shared/contract/update-status.ts';
import type { Store } from './db/store.ts';
import { withTag } from './domain/image-reference.ts';
import type { Health } from './health/create-health.ts';
import type { HookAdmin } from './hooks/manage-hooks.ts';
import type { UnitCatalog } from './host/unit-catalog.ts';
import type { AdminGate } from './http/admin-gate.ts';
import { WEBHOOK_REFUSALS } from './http/routes/github-webhook.ts';
import { registerInfoApi } from './http/routes/info-api.ts';
import { registerMetrics } from './http/routes/metrics.ts';
import { registerOpenApi } from './http/routes/openapi.ts';
import { viewHooks } from './info/view-hooks.ts';
import { viewSettings } from './info/view-settings.ts';
import type { Intake } from './intake/intake.ts';
import type { LimitSources } from './metrics/list-limits.ts';
import { listMetrics, type MetricSources } from './metrics/list-metrics.ts';
import type { KnownUnits } from './units/known-units.ts';
import type { SelfUpdate } from './updates/self-update.ts';
import { createVersionCheck } from './updates/version-check.ts';

type Parts = {
  readonly store: Store;
  readonly gate: AdminGate;
  readonly known: KnownUnits;
  readonly units: UnitCatalog;
  readonly hooks: Pick<HookAdmin, 'list'>;
  readonly selfUpdate: Pick<SelfUpdate, 'check'>;
};

type MetricParts = Pick<Parts, 'store' | 'gate'> & {
  readonly intake: Pick<Intake, 'waiting'>;
  readonly health: Pick<Health, 'check'>;
  readonly failed: { sums: LimitSources['credentials'] };
  readonly connections: { state: LimitSources['connections'] };
  /** The word of the supervisor. */
  readonly update: () => UpdateStatus | undefined;
};

/** Joins what tells of this program itself: its API, its settings, its webhooks, its version. */
export function registerInfoRoutes(app: FastifyInstance, loaded: Loaded, parts: Parts): void {
  const { store, gate, known, units, selfUpdate, hooks } = parts;
  const { settings, paths } = loaded;
  registerOpenApi(app);
  registerInfoApi(app, {
    gate,
    baseUrl: settings.publicBaseUrl,
    payloadPath: paths.lastPayload,
    checkVersion: createVersionCheck(selfUpdate.check),
    viewSettings: () =>
      viewSettings({ ...loaded, known: known.all(), checkDatabase: () => store.check() }),
    viewHooks: () =>
      viewHooks(
        {
          store,
          units: known.list('webhook'),
          imageOf: (unit) => {
            const facts = units.facts(unit);
            return facts.state === 'known' ? withTag(facts.image) : null;
          },
          refusals: WEBHOOK_REFUSALS,
          baseUrl: settings.publicBaseUrl,
          hasSecret: settings.webhookSecret !== undefined,
          listStored: () => hooks.list(),
        },
        Date.now(),
      ),
  });
}

/** Joins what a monitor is told: of a worker alone, for nobody else has an intake. */
export function registerMetricRoutes(
  app: FastifyInstance,
  { settings }: Pick<Loaded, 'settings'>,
  { store, gate, intake, health, failed, connections, update }: MetricParts,
): void {
  const sources: MetricSources = {
    ...{ store, intake, update, program: PROGRAM, now: Date.now },
    requests: () => app.requestCounts.list(),
    limits: { credentials: () => failed.sums(), connections: () => connections.state() },
    health: async () => {
      const found = await health.check();
      return found.map(({ component, failure }) => ({ component, ok: failure === undefined }));
    },
  };
  registerMetrics(app, {
    gate,
    isOpen: settings.metricsOpen,
    list: () => listMetrics(sources),
  });
}
