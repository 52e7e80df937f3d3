import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Outcome } from '../../../shared/contract/outcome.ts';
import { parseUnitName } from '../../../shared/contract/unit-name.ts';
import {
  autoUpdateBody,
  idempotencyKey,
  legacyAutoUpdateBody,
  legacyAutoUpdateQuery,
  selectionBody,
  serviceBody,
  slugParams,
} from '../../api/manual-requests.ts';
import {
  autoUpdateView,
  deployView,
  oldServiceView,
  triggerView,
  upgradeView,
} from '../../api/manual-views.ts';
import type { Claim } from '../../domain/access.ts';
import type { UnitSelection } from '../../domain/unit-selection.ts';
import type { Answer } from '../../tasks/answer-once.ts';
import type { ManualActions } from '../../tasks/manual-actions.ts';
import type { ManualCall, Wish } from '../../tasks/manual-call.ts';
import type { AdminGate } from '../admin-gate.ts';
import { describeCaller } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { readBy } from '../read-json-body.ts';
import { deployRoute, type Route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly actions: ManualActions;
  readonly gate: AdminGate;
  /** The unit that stands for podman's auto-update, which is about every unit. */
  readonly autoUpdateUnit: string;
};

const HEADERS = { 'idempotency-key': 'Whoever asks again with the same one gets the same answer.' };

const REFUSALS = ['IDEMPOTENCY_KEY_REUSED', 'UNIT_NOT_CONFIGURED'] as const;

/** `POST /api/manual/…`: what scripts and people have done to units. */
export function registerManualApi(app: FastifyInstance, parts: Parts): void {
  const { actions, gate } = parts;
  serveRoutes(app, { action: 'manual-api', gate, takesOldTokens: true }, [
    ...ofSeveral(actions),
    ...ofOne(parts),
    ...ofPodman(actions),
  ]);
}

function ofSeveral(actions: ManualActions): readonly Route[] {
  return [
    deployRoute(
      {
        method: 'POST',
        url: '/api/manual/trigger',
        action: 'manual-trigger',
        summary: 'Restarts units as they are.',
        headers: HEADERS,
        body: selectionBody,
        answers: { 200: triggerView, 202: triggerView },
        refusals: REFUSALS,
        fails: true,
      },
      ({ body }) => claimOf(body),
      async ({ body }, request, reply) =>
        answer(request, reply, await actions.trigger(toCall(body, request))),
    ),
    deployRoute(
      {
        method: 'POST',
        url: '/api/manual/deploy',
        action: 'manual-deploy',
        summary: 'Brings units to what their tags mean.',
        headers: HEADERS,
        body: selectionBody,
        answers: { 200: deployView, 202: deployView },
        refusals: REFUSALS,
        fails: true,
      },
      ({ body }) => claimOf(body),
      async ({ body }, request, reply) =>
        answer(request, reply, await actions.deploy(toCall(body, request))),
    ),
  ];
}

function ofOne({ actions, autoUpdateUnit }: Parts): readonly Route[] {
  return [
    deployRoute(
      {
        method: 'POST',
        url: '/api/manual/services/:slug',
        action: 'manual-service',
        summary: 'Restarts one unit, or brings it to a version of its image.',
        params: slugParams,
        headers: HEADERS,
        body: serviceBody,
        answers: { 200: oldServiceView, 202: oldServiceView },
        refusals: REFUSALS,
        fails: true,
      },
      ({ params }) => (parseUnitName(params.slug) === autoUpdateUnit ? 'all' : [params.slug]),
      async ({ params, body }, request, reply) =>
        answer(request, reply, await actions.service(params.slug, toCall(body, request))),
    ),
    deployRoute(
      {
        method: 'POST',
        url: '/api/manual/services/:slug/upgrade',
        action: 'manual-service-upgrade',
        summary: 'Brings one unit to what its tag means, or to another version of its image.',
        params: slugParams,
        headers: HEADERS,
        body: serviceBody,
        answers: { 200: upgradeView, 202: upgradeView },
        refusals: REFUSALS,
        fails: true,
      },
      ({ params }) => [params.slug],
      async ({ params, body }, request, reply) =>
        answer(request, reply, await actions.upgrade(params.slug, toCall(body, request))),
    ),
  ];
}

/** podman's own update, and the path by which scripts of the first program begin it: that answers text. */
function ofPodman(actions: ManualActions): readonly Route[] {
  return [
    deployRoute(
      {
        method: 'POST',
        url: '/api/manual/auto-update/run',
        action: 'manual-auto-update-run',
        summary: "Runs podman's auto-update, or looks what it would do.",
        headers: HEADERS,
        body: autoUpdateBody,
        answers: { 202: autoUpdateView },
        refusals: ['IDEMPOTENCY_KEY_REUSED'],
      },
      () => 'all',
      async ({ body }, request, reply) =>
        answer(request, reply, await actions.autoUpdate(toCall(body, request))),
    ),
    deployRoute(
      {
        method: 'POST',
        url: '/auto-update',
        action: 'manual-auto-update',
        summary: "Runs podman's auto-update, within two windows of limits; the oldest form.",
        headers: HEADERS,
        query: legacyAutoUpdateQuery,
        body: legacyAutoUpdateBody,
        answers: { 202: { media: ['text/plain'], about: 'That it was asked for.' } },
        refusals: ['RATE_LIMITED', 'IDEMPOTENCY_KEY_REUSED'],
      },
      () => 'all',
      async ({ body }, request, reply) => {
        const call = toCall({ ...body, dry_run: false }, request);
        const came = await actions.limitedAutoUpdate(call);
        if (!came.ok) return sendFailure(request, reply, came.failure);
        const { task_id: id } = came.value.body;
        request.note.taskId = id;
        return reply
          .code(202)
          .header('location', `/api/tasks/${id}`)
          .type('text/plain; charset=utf-8')
          .send('auto-update triggered\n');
      },
    ),
  ];
}

/** Nothing is named: nothing will be done, and the refusal says so. */
function claimOf({ all, units }: UnitSelection): Claim {
  return all ? 'all' : units;
}

/** With its key; notes for the event who asks for what, and the token is no part of that. */
function toCall<T extends Wish & { readonly token?: string | undefined }>(
  body: T,
  request: FastifyRequest,
): ManualCall<T> {
  const { token: _, ...said } = body;
  request.note.meta = shorten(said);
  const given = request.headers['idempotency-key'];
  const path = request.url.split('?', 1)[0] ?? '';
  return {
    asker: { by: describeCaller(request), requestId: request.id, path },
    key: given === undefined ? undefined : readBy(idempotencyKey, given),
    body,
  };
}

/** A list of hundreds of units is cut: the tasks say the rest. */
function shorten(said: object): Record<string, unknown> {
  const entries = Object.entries(said).map(([name, value]: [string, unknown]) => {
    return [name, Array.isArray(value) ? value.slice(0, 20) : value] as const;
  });
  return Object.fromEntries(entries);
}

/** What it came to; the task that was made stands in the event, too. */
function answer<T extends { readonly task_id: string | null; readonly batch_id: string | null }>(
  request: FastifyRequest,
  reply: FastifyReply,
  came: Outcome<Answer<T> & { readonly isRepeated: boolean }>,
): FastifyReply {
  if (!came.ok) return sendFailure(request, reply, came.failure);
  const { status, body, isRepeated } = came.value;
  request.note.taskId = body.task_id;
  const { meta } = request.note;
  request.note.meta = { ...meta, batch: body.batch_id, ...(isRepeated && { repeated: true }) };
  if (isRepeated) reply.header('idempotency-replayed', 'true');
  return reply.code(status).send(body);
}
