import type { FastifyInstance } from 'fastify';
import type { Loaded } from '../shared/config/load-settings.ts';
import type { Store } from './db/store.ts';
import { withTag } from './domain/image-reference.ts';
import type { UnitCatalog } from './host/unit-catalog.ts';
import type { AdminGate } from './http/admin-gate.ts';
import { WEBHOOK_REFUSALS } from './http/routes/github-webhook.ts';
import { registerInfoApi } from './http/routes/info-api.ts';
import { registerOpenApi } from './http/routes/openapi.ts';
import { viewHooks } from './info/view-hooks.ts';
import { viewSettings } from './info/view-settings.ts';
import type { KnownUnits } from './units/known-units.ts';
import type { SelfUpdate } from './updates/self-update.ts';
import { createVersionCheck } from './updates/version-check.ts';

type Parts = {
  readonly store: Store;
  readonly gate: AdminGate;
  readonly known: KnownUnits;
  readonly units: UnitCatalog;
  readonly selfUpdate: Pick<SelfUpdate, 'check'>;
};

/** Joins what tells of this program itself: its API, its settings, its webhooks, its version. */
export function registerInfoRoutes(
  app: FastifyInstance,
  loaded: Loaded,
  { store, gate, known, units, selfUpdate }: Parts,
): void {
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
        },
        Date.now(),
      ),
  });
}
