import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Loaded } from '../shared/config/load-settings.ts';
import { keepRefusedDeliveries } from './deliveries/refused-deliveries.ts';
import type { UnitCatalog } from './host/unit-catalog.ts';
import { registerGithubWebhook } from './http/routes/github-webhook.ts';
import { type BadPayloads, keepBadPayloads } from './intake/bad-payloads.ts';
import type { Intake } from './intake/intake.ts';

type Parts = {
  readonly app: FastifyInstance;
  readonly intake: Intake;
  readonly units: UnitCatalog;
  readonly store: Parameters<typeof keepRefusedDeliveries>[0];
};

/** Serves what GitHub reports: the worker's alone. Gives what keeps what was refused. */
export function joinWebhook(
  { settings, paths, secrets }: Loaded,
  log: Logger,
  { app, intake, units, store }: Parts,
): Pick<BadPayloads, 'close'> {
  const payloads = keepBadPayloads(paths.lastPayload, log);
  const refused = keepRefusedDeliveries(store, secrets, log);
  registerGithubWebhook(app, {
    log,
    intake,
    units,
    secrets: [settings.webhookSecret, settings.webhookSecretPrevious].filter(
      (secret) => secret !== undefined,
    ),
    maxBodyBytes: settings.webhookMaxBodyBytes,
    keepBadPayload: payloads.keep,
    noteRefused: refused.note,
  });
  return {
    close() {
      payloads.close();
      refused.close();
    },
  };
}
