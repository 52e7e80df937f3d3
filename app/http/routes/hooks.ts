import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { FailureError } from '../../../shared/contract/outcome.ts';
import { hookPathParams, hookPathSecretParams } from '../../api/hook-requests.ts';
import { type HookReceivedView, hookReceivedView } from '../../api/hook-views.ts';
import type { RouteForm } from '../../api/route-form.ts';
import type { Refusal } from '../../deliveries/refused-deliveries.ts';
import { maskPath } from '../../domain/mask-path.ts';
import type { HookRefusal } from '../../domain/stored-hook.ts';
import { HOOKS_PREFIX } from '../../hooks/view-hook.ts';
import type { Reception } from '../../intake/keep-delivery.ts';
import {
  createHookReceiver,
  type HookDelivery,
  type HookParts,
  type HookReception,
} from '../../intake/receive-hook-delivery.ts';
import type { CredentialGuard } from '../admin-gate.ts';
import { addressOf } from '../describe-asker.ts';
import { noteRefusals } from '../note-refusals.ts';
import { sendFailure } from '../problem-reply.ts';
import { acceptRawBodies, checkLength, headerOf, rawBodyOf } from '../read-raw-body.ts';
import { type Route, route, serveRoutes } from '../serve-routes.ts';

type Parts = HookParts & {
  readonly log: Logger;
  readonly maxBodyBytes: number;
  /** Is handed each body whose signature did not fit; absent: nobody keeps them. */
  readonly keepBadPayload?: (body: Buffer) => void;
  /** Counts what opens no hook; what does is never refused for that. */
  readonly failed?: Pick<CredentialGuard, 'tell'>;
  /** Hears of each that is refused. */
  readonly noteRefused?: (refusal: Refusal) => void;
};

const MAX_PATH_LENGTH = 300;
/** In an event; all of them are in the database. */
const MAX_NOTED = 20;
// The pattern keeps an empty name out, which a plain parameter would take.
const HOOK = `${HOOKS_PREFIX}/:hook([^/]+)`;

const HEADERS = {
  authorization: 'The secret, where the hook is of the scheme `authorization`.',
  'x-hub-signature-256': 'HMAC-SHA256 of the body: `sha256=HEX`; other senders have other names.',
  'webhook-id': 'Standard Webhooks: what the delivery is called; the same one is taken once.',
  'webhook-timestamp': 'Standard Webhooks: when it was sent, in seconds since the epoch.',
  'webhook-signature': 'Standard Webhooks: `v1,BASE64`, several of them separated by spaces.',
};

/** The codes with which a delivery of a hook is refused. */
const HOOK_REFUSALS = [
  'BODY_TOO_LARGE',
  'HOOK_REFUSED',
  'CREDENTIALS_LIMITED',
  'HOOK_TIMESTAMP_REFUSED',
  'WEBHOOK_HEADER_MISSING',
  'BODY_NOT_JSON',
  'CONTENT_TYPE_UNSUPPORTED',
  'SPOOL_DISK_FULL',
  'SPOOL_UNAVAILABLE',
  'SPOOL_BACKLOG_FULL',
] as const;

/** `POST /hooks/NAME[/SECRET]`: the body stays raw, and nothing of it is believed, until it has opened the hook. */
export function registerHooks(app: FastifyInstance, parts: Parts): void {
  const receive = createHookReceiver(parts);
  serveRoutes(
    app,
    {
      action: 'hook',
      prepare(scope) {
        noteRefusals(scope, parts.noteRefused);
        acceptRawBodies(scope, '*', parts.maxBodyBytes);
      },
    },
    [
      delivery(parts, receive, { url: HOOK, params: hookPathParams }),
      delivery(parts, receive, { url: `${HOOK}/:secret([^/]+)`, params: hookPathSecretParams }),
    ],
  );
}

function delivery(
  parts: Parts,
  receive: ReturnType<typeof createHookReceiver>,
  { url, params }: { readonly url: string; readonly params: NonNullable<RouteForm['params']> },
): Route {
  const { log, maxBodyBytes } = parts;
  return route(
    {
      ...{ method: 'POST', url, needs: 'hook', params, headers: HEADERS },
      summary: 'A push is reported by the sender that a hook is for.',
      about:
        'Every kind of sender has a body of its own, see docs/hooks.md. Whether there is no such hook, it is closed, or what was sent does not open it: the answer is the same.',
      rawBody:
        'What the sender of the hook posts; one that is not signed has the secret in the path.',
      answers: { 202: hookReceivedView, 200: hookReceivedView },
      refusals: HOOK_REFUSALS,
    },
    async (given, request, reply) => {
      const raw = toDelivery(given.params as HookPath, request);
      const received = await receive(raw);
      if (!received.ok) {
        return refuse(parts, request, reply, raw, received);
      }
      const view = viewReception(received.value, request.id);
      noteReception(request, view);
      if (log.isLevelEnabled('debug')) log.debug(view, 'delivery received');
      const isNews = view.verdict === 'accepted' || view.verdict === 'ignored';
      return reply.code(isNews ? 202 : 200).send(view);
    },
    (request, _reply, next) => {
      const checked = checkLength(request, maxBodyBytes);
      next(checked.ok ? undefined : new FailureError(checked.failure));
    },
  );
}

type HookPath = { readonly hook: string; readonly secret?: string };

function toDelivery({ hook, secret }: HookPath, request: FastifyRequest): HookDelivery {
  return {
    ...{ hook, pathSecret: secret, requestId: request.id, remoteAddress: addressOf(request) },
    path: maskPath(request.url.split('?', 1)[0] ?? '').slice(0, MAX_PATH_LENGTH),
    headers: (name) => headerOf(request, name),
    body: rawBodyOf(request),
  };
}

type Refused = Extract<Awaited<ReturnType<ReturnType<typeof createHookReceiver>>>, { ok: false }>;

function refuse(
  { failed, keepBadPayload }: Parts,
  request: FastifyRequest,
  reply: FastifyReply,
  raw: HookDelivery,
  received: Refused,
): FastifyReply {
  if ('refused' in received) noteRefusal(request, raw, received.refused);
  const isFailed = received.failure.code === 'HOOK_REFUSED';
  const limited = isFailed ? failed?.tell(addressOf(request), false) : undefined;
  if (isWrong(received) && !limited) keepBadPayload?.(raw.body);
  return sendFailure(request, reply, limited ?? received.failure);
}

function isWrong(received: Refused): boolean {
  return 'refused' in received && received.refused === 'secret-wrong';
}

/** Why, for whoever looks after this host: the sender is not told. */
function noteRefusal({ note }: FastifyRequest, { hook }: HookDelivery, refused?: HookRefusal) {
  // What is no name of a hook may be anything, a secret too.
  if (refused) note.meta = { refused, ...(refused !== 'unknown' && { hook }) };
}

function noteReception({ note }: FastifyRequest, { hook, verdict, deliveries }: HookReceivedView) {
  note.actor = `hook:${hook}`;
  note.deliveryId = deliveries[0]?.delivery ?? null;
  note.meta = { hook, verdict, deliveries: deliveries.slice(0, MAX_NOTED) };
}

const BY_WEIGHT = ['accepted', 'duplicate', 'ignored', 'ping'] as const;

function viewReception({ hook, receptions }: HookReception, requestId: string): HookReceivedView {
  const verdicts = new Set(receptions.map(({ verdict }) => verdict.verdict));
  const verdict = BY_WEIGHT.find((one) => verdicts.has(one)) ?? 'ignored';
  return { hook, verdict, deliveries: receptions.map(viewOne), request_id: requestId };
}

function viewOne({ id, unit, verdict }: Reception): HookReceivedView['deliveries'][number] {
  const { reason, detail, image, matched, digest, of } = { ...NOTHING, ...verdict };
  return {
    ...{ delivery: id, unit: unit === '' ? null : unit, verdict: verdict.verdict },
    ...{ reason, detail, image, matched, digest, of },
  };
}

const NOTHING = { reason: null, detail: null, image: null, matched: null, digest: null, of: null };
