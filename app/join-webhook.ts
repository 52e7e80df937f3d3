import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Loaded } from '../shared/config/load-settings.ts';
import { keepRefusedDeliveries } from './deliveries/refused-deliveries.ts';
import type { HookBook } from './hooks/hook-book.ts';
import type { HookAdmin } from './hooks/manage-hooks.ts';
import type { UnitCatalog } from './host/unit-catalog.ts';
import type { FailedCredentials } from './http/credentials/failed-credentials.ts';
import { registerGithubWebhook } from './http/routes/github-webhook.ts';
import { registerHooks } from './http/routes/hooks.ts';
import { type BadPayloads, keepBadPayloads } from './intake/bad-payloads.ts';
import type { Intake } from './intake/intake.ts';
import { guardOf } from './join-limits.ts';
import type { KnownUnits } from './units/known-units.ts';

type Parts = {
  readonly app: FastifyInstance;
  readonly intake: Intake;
  readonly known: Pick<KnownUnits, 'list'>;
  readonly units: UnitCatalog;
  readonly book: HookBook;
  readonly failed: FailedCredentials;
  readonly hooks: Pick<HookAdmin, 'reload'>;
  readonly store: Parameters<typeof keepRefusedDeliveries>[0];
  readonly checks: { checkNow(units: readonly string[] | undefined): Promise<unknown> };
};

/** A key that was put back is found after so long at the latest. */
const LOOK_FOR_KEY_MS = 10_000;

/** Serves what is reported to units and to hooks: the worker's alone. Gives what keeps what was refused. */
export function joinWebhook(
  { settings, paths, secrets }: Loaded,
  log: Logger,
  { app, intake, known, units, book, hooks, checks, store, failed }: Parts,
): Pick<BadPayloads, 'close'> {
  const payloads = keepBadPayloads(paths.lastPayload, log);
  const refused = keepRefusedDeliveries(store, secrets, log);
  const common = {
    ...{ log, intake, maxBodyBytes: settings.webhookMaxBodyBytes },
    ...{ keepBadPayload: payloads.keep, noteRefused: refused.note },
    failed: guardOf(failed, 'webhook'),
  };
  registerGithubWebhook(app, {
    ...common,
    units,
    secrets: [settings.webhookSecret, settings.webhookSecretPrevious].filter(
      (secret) => secret !== undefined,
    ),
  });
  let lookedAt = Number.NEGATIVE_INFINITY;
  registerHooks(app, {
    ...common,
    book,
    units: { ...units, list: () => known.list('webhook') },
    toleranceMs: settings.hookToleranceMs,
    onLocked() {
      if (performance.now() - lookedAt < LOOK_FOR_KEY_MS) return;
      lookedAt = performance.now();
      hooks.reload();
    },
    onCheck(named) {
      checks.checkNow(named).catch((error: unknown) => {
        log.error({ err: error }, 'units could not be looked at for updates');
      });
    },
  });
  return {
    close() {
      payloads.close();
      refused.close();
    },
  };
}
