import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { FailureError, fail, type Outcome } from '../../../shared/contract/outcome.ts';
import { receivedView, serviceParams } from '../../api/webhook-views.ts';
import type { Refusal } from '../../deliveries/refused-deliveries.ts';
import type { DeliveryVerdict } from '../../domain/delivery-verdict.ts';
import { HOOK_PREFIX } from '../../info/view-hooks.ts';
import { type RawDelivery, receiveGithubDelivery } from '../../intake/receive-github-delivery.ts';
import type { CredentialGuard } from '../admin-gate.ts';
import { addressOf } from '../describe-asker.ts';
import { noteRefusals } from '../note-refusals.ts';
import { sendFailure } from '../problem-reply.ts';
import { acceptRawBodies, checkLength, headerOf, rawBodyOf } from '../read-raw-body.ts';
import { type Route, route, serveRoutes } from '../serve-routes.ts';

type Parts = Parameters<typeof receiveGithubDelivery>[0] & {
  readonly log: Logger;
  readonly maxBodyBytes: number;
  /** Is handed each body with a bad signature; absent: nobody keeps them. */
  readonly keepBadPayload?: (body: Buffer) => void;
  /** Counts bad signatures; a good one is never refused for them. */
  readonly failed?: Pick<CredentialGuard, 'tell'>;
  /** Hears of each that is refused. */
  readonly noteRefused?: (refusal: Refusal) => void;
};

// The pattern keeps an empty name out, which a plain parameter would take.
const SERVICE = `${HOOK_PREFIX}/:service([^/]+)`;
const PATHS = [SERVICE, `${SERVICE}/redeploy`];

const HEADERS = {
  'x-hub-signature-256': 'HMAC-SHA256 of the body with the secret of the hook: `sha256=HEX`.',
  'x-github-event': 'The kind of event.',
  'x-github-delivery': 'The GUID of the delivery; the same one is taken once.',
};

/** The codes with which a webhook is refused. */
export const WEBHOOK_REFUSALS = [
  'WEBHOOK_SECRET_NOT_CONFIGURED',
  'CONTENT_TYPE_UNSUPPORTED',
  'SIGNATURE_MISSING',
  'BODY_TOO_LARGE',
  'SIGNATURE_INVALID',
  'CREDENTIALS_LIMITED',
  'WEBHOOK_HEADER_MISSING',
  'BODY_NOT_JSON',
  'SPOOL_DISK_FULL',
  'SPOOL_UNAVAILABLE',
  'SPOOL_BACKLOG_FULL',
] as const;

/** `POST /github-package-update/<unit>[/redeploy]`: the body stays raw until its signature is verified. */
export function registerGithubWebhook(app: FastifyInstance, parts: Parts): void {
  const readsRaw = (scope: FastifyInstance) => {
    noteRefusals(scope, parts.noteRefused);
    acceptRawBodies(scope, 'application/json', parts.maxBodyBytes);
  };
  serveRoutes(
    app,
    { action: 'github-webhook', prepare: readsRaw },
    PATHS.map((url) => delivery(parts, url)),
  );
}

function delivery(parts: Parts, url: string): Route {
  return route(
    {
      method: 'POST',
      url,
      needs: 'hook',
      summary: 'A push is reported for a unit.',
      params: serviceParams,
      headers: HEADERS,
      rawBody: 'What GitHub sends for the events `package`, `registry_package` and `ping`.',
      answers: { 200: receivedView, 202: receivedView },
      refusals: WEBHOOK_REFUSALS,
    },
    async ({ params }, request, reply) => {
      const received = await receiveGithubDelivery(parts, toRaw(params.service, request));
      if (!received.ok) {
        const isBad = received.failure.code === 'SIGNATURE_INVALID';
        const limited = isBad ? parts.failed?.tell(addressOf(request), false) : undefined;
        if (isBad && !limited) parts.keepBadPayload?.(rawBodyOf(request));
        return sendFailure(request, reply, limited ?? received.failure);
      }
      const { id, unit, verdict } = received.value;
      request.note.actor = 'github';
      request.note.deliveryId = id;
      request.note.meta = { delivery: id, unit, ...verdict };
      logDelivery(parts.log, id, unit, verdict);
      const isNews = verdict.verdict === 'accepted' || verdict.verdict === 'ignored';
      return reply
        .code(isNews ? 202 : 200)
        .send({ delivery: id, unit, ...verdict, request_id: request.id });
    },
    (request, _reply, next) => {
      const checked = checkHead(parts, request);
      next(checked.ok ? undefined : new FailureError(checked.failure));
    },
  );
}

/** What can be refused before a byte of the body is read, in the documented order. */
function checkHead(parts: Parts, request: FastifyRequest): Outcome<void> {
  if (parts.secrets.length === 0) return fail('WEBHOOK_SECRET_NOT_CONFIGURED', '');
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/json') return fail('CONTENT_TYPE_UNSUPPORTED', '');
  if (!headerOf(request, 'x-hub-signature-256')) return fail('SIGNATURE_MISSING', '');
  return checkLength(request, parts.maxBodyBytes);
}

/** For those who look: each delivery is an event already, and its task has lines of its own. */
function logDelivery(log: Logger, delivery: string, unit: string, verdict: DeliveryVerdict): void {
  if (!log.isLevelEnabled('debug')) return;
  log.debug({ delivery, unit, ...verdict }, 'delivery received');
}

function toRaw(service: string, request: FastifyRequest): RawDelivery {
  return {
    service,
    path: (request.url.split('?', 1)[0] ?? '').slice(0, 1000),
    signature: headerOf(request, 'x-hub-signature-256'),
    event: headerOf(request, 'x-github-event'),
    delivery: headerOf(request, 'x-github-delivery'),
    headers: (name) => headerOf(request, name),
    body: rawBodyOf(request),
    remoteAddress: addressOf(request),
    requestId: request.id,
  };
}
