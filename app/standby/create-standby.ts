import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { matchAddresses } from '../../shared/config/address-ranges.ts';
import type { Loaded } from '../../shared/config/load-settings.ts';
import { PROGRAM } from '../../shared/config/program-version.ts';
import { MAX_RECORD_BYTES, parseUpdateRecord } from '../../shared/contract/update-record.ts';
import { realFiles } from '../../shared/fs/files.ts';
import { sha256 } from '../../shared/fs/sha256.ts';
import type { HealthView } from '../api/health-views.ts';
import { limitConnections } from '../http/connections/limit-connections.ts';
import { createApp } from '../http/create-app.ts';
import { prepareDrain } from '../http/drain.ts';
import { sendFailure } from '../http/problem-reply.ts';
import { registerGithubWebhook } from '../http/routes/github-webhook.ts';
import { registerHooks } from '../http/routes/hooks.ts';
import { hostKey } from '../units/host-key.ts';
import { readForStandby } from '../units/keep-for-standby.ts';
import {
  describeMaintenance,
  type Maintenance,
  maintenancePage,
  PAGE_POLICY,
  RETRY_AFTER_S,
} from './maintenance-page.ts';
import { StandbyHooks } from './standby-hooks.ts';
import { StandbyIntake } from './standby-intake.ts';
import { createStandbyUnits } from './standby-units.ts';

/** The application of the standby, ready to listen. */
export type Standby = {
  readonly app: FastifyInstance;
  /** Serves what has arrived, makes it durable, and lets go. */
  stop(hurry?: AbortSignal): Promise<void>;
};

/**
 * Joins the parts of the standby: webhooks as in the worker, with the very same answers, and a maintenance page for
 * everything else. It touches no database and asks nothing of the host.
 */
export async function createStandby({ settings, paths }: Loaded, log: Logger): Promise<Standby> {
  const intake = new StandbyIntake(paths.intakeDir);
  // There is nowhere to write events to; the deliveries themselves are recorded by whoever takes them over.
  const { requestTimeoutMs, publicBaseUrl, trustedProxies } = settings;
  const isProxy = matchAddresses(trustedProxies);
  const app = createApp({
    ...{ log, events: { record: () => undefined } },
    ...{ requestTimeoutMs, publicBaseUrl, isProxy },
  });
  const connections = limitConnections(app.server, settings, log);
  const drain = prepareDrain(app);
  const kept = readForStandby(paths.foundUnits, hostKey(settings));
  const units = createStandbyUnits(settings, kept);
  const common = { log, intake, maxBodyBytes: settings.webhookMaxBodyBytes };
  registerGithubWebhook(app, {
    ...common,
    units: { facts: units.facts, refresh: (unit) => Promise.resolve(units.facts(unit)) },
    secrets: [settings.webhookSecret, settings.webhookSecretPrevious].filter(
      (secret) => secret !== undefined,
    ),
  });
  registerHooks(app, {
    ...common,
    book: new StandbyHooks(paths.standbyHooks, { given: settings.hookKey, path: paths.hookKey }),
    units: { ...units, facts: units.factsWithImage, refreshAll: () => Promise.resolve() },
    toleranceMs: settings.hookToleranceMs,
  });
  registerMaintenance(app, () => readMaintenance(paths.updateRecord));
  await app.ready();
  return {
    app,
    async stop(hurry) {
      await drain(settings.stopTimeoutMs / 2, hurry);
      await app.close();
      connections.close();
      await intake.close();
    },
  };
}

function registerMaintenance(app: FastifyInstance, read: () => Maintenance): void {
  app.get('/health', (_request, reply) => {
    const view: HealthView = {
      ...{ status: 'maintenance', ...PROGRAM, checks: [], issues: [] },
      // Nobody looks at either.
      db: { error: null },
      podman: { ok: true, error: null },
    };
    return unavailable(reply).send(view);
  });
  app.route({
    method: app.supportedMethods,
    url: '*',
    // Before its body is looked at, whatever that is.
    onRequest: (request, reply) => {
      answer(request, reply, read());
    },
    handler: () => undefined,
  });
}

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  maintenance: Maintenance,
): FastifyReply {
  unavailable(reply);
  if (/\btext\/html\b/.test(request.headers.accept ?? '')) {
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', PAGE_POLICY)
      .send(maintenancePage(maintenance));
  }
  const detail = describeMaintenance(maintenance);
  return sendFailure(request, reply, { code: 'MAINTENANCE', detail });
}

function unavailable(reply: FastifyReply): FastifyReply {
  return reply.code(503).header('retry-after', String(RETRY_AFTER_S));
}

/** What the supervisor has written down; nothing where it cannot be read, for the page is no place for that. */
function readMaintenance(path: string): Maintenance {
  try {
    const bytes = realFiles.read(path, MAX_RECORD_BYTES);
    const reading = bytes && parseUpdateRecord(Buffer.from(bytes).toString('utf8'), sha256);
    if (reading?.kind !== 'record') return null;
    const { state, from, to } = reading.record;
    return { state, from: from.version, to: to?.version ?? null };
  } catch {
    return null;
  }
}
