import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Loaded } from '../shared/config/load-settings.ts';
import type { UnitCatalog } from './host/unit-catalog.ts';
import { registerGithubWebhook } from './http/routes/github-webhook.ts';
import { type BadPayloads, keepBadPayloads } from './intake/bad-payloads.ts';
import type { Intake } from './intake/intake.ts';

type Parts = {
  readonly app: FastifyInstance;
  readonly intake: Intake;
  readonly units: UnitCatalog;
};

/** Serves what GitHub reports: the worker's alone. Gives what keeps bodies with a bad signature. */
export function joinWebhook(
  { settings, paths }: Loaded,
  log: Logger,
  { app, intake, units }: Parts,
): BadPayloads {
  const payloads = keepBadPayloads(paths.lastPayload, log);
  registerGithubWebhook(app, {
    log,
    intake,
    units,
    secrets: [settings.webhookSecret, settings.webhookSecretPrevious].filter(
      (secret) => secret !== undefined,
    ),
    maxBodyBytes: settings.webhookMaxBodyBytes,
    keepBadPayload: payloads.keep,
  });
  return payloads;
}
