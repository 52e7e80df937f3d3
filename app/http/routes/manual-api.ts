import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Outcome } from '../../../shared/contract/outcome.ts';
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
import type { Answer } from '../../tasks/answer-once.ts';
import type { ManualActions } from '../../tasks/manual-actions.ts';
import type { ManualCall, Wish } from '../../tasks/manual-call.ts';
import type { AdminGate } from '../admin-gate.ts';
import { describeCaller } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { readBy } from '../read-json-body.ts';
import { type Route, route, serveRoutes } from '../serve-routes.ts';

type Parts = { readonly actions: ManualActions; readonly gate: AdminGate };

const ROOT = '/api/manual';
const HEADERS = {
  'idempotency-key':
    'A name for the call, 1 to 255 visible characters: asked again with it, it is not done again.',
} as const;
const SELECTING = ['SELECTION_EMPTY', 'UNIT_NOT_CONFIGURED', 'IDEMPOTENCY_KEY_REUSED'] as const;
const NAMING = [
  'UNIT_NOT_CONFIGURED',
  'UNIT_IMAGE_UNKNOWN',
  'VERSION_NOT_OF_UNIT',
  'IDEMPOTENCY_KEY_REUSED',
] as const;

/** What scripts and people have done to units, by the paths and fields that they know; for admins only. */
export function registerManualApi(app: FastifyInstance, { actions, gate }: Parts): void {
  const serve = (action: string, one: Route) =>
    serveRoutes(app, { action, gate, takesToken: true }, [one]);
  serve(
    'manual-trigger',
    route(
      {
        ...{ method: 'POST', url: `${ROOT}/trigger`, headers: HEADERS, body: selectionBody },
        summary: 'Restarts units as they are; nothing is pulled.',
        answers: { 202: triggerView, 200: triggerView },
        refusals: SELECTING,
      },
      async ({ body }, request, reply) =>
        answer(request, reply, await actions.trigger(readCall(body, request))),
    ),
  );
  serve(
    'manual-deploy',
    route(
      {
        ...{ method: 'POST', url: `${ROOT}/deploy`, headers: HEADERS, body: selectionBody },
        summary: 'Brings units to what their tags mean now.',
        answers: { 202: deployView, 200: deployView },
        refusals: [...SELECTING, 'UNIT_IMAGE_UNKNOWN'],
      },
      async ({ body }, request, reply) =>
        answer(request, reply, await actions.deploy(readCall(body, request))),
    ),
  );
  serveServices(serve, actions);
  serve('manual-auto-update', legacyRoute(actions));
}

/** What concerns one unit, and podman's own update. */
function serveServices(serve: (action: string, one: Route) => void, actions: ManualActions): void {
  serve(
    'manual-service',
    route(
      {
        ...{ method: 'POST', url: `${ROOT}/services/:slug`, headers: HEADERS, body: serviceBody },
        summary: 'Restarts one unit or, with an image, brings it to that; an older form.',
        params: slugParams,
        answers: { 202: oldServiceView, 200: oldServiceView },
        ...{ refusals: NAMING, fails: true },
      },
      async ({ params, body }, request, reply) =>
        answer(request, reply, await actions.service(params.slug, readCall(body, request))),
    ),
  );
  serve(
    'manual-service-upgrade',
    route(
      {
        method: 'POST',
        url: `${ROOT}/services/:slug/upgrade`,
        summary: 'Brings one unit to what its tag means, or to another version of its image.',
        ...{ params: slugParams, headers: HEADERS, body: serviceBody },
        answers: { 202: upgradeView, 200: upgradeView },
        ...{ refusals: NAMING, fails: true },
      },
      async ({ params, body }, request, reply) =>
        answer(request, reply, await actions.upgrade(params.slug, readCall(body, request))),
    ),
  );
  serve(
    'manual-auto-update-run',
    route(
      {
        method: 'POST',
        url: `${ROOT}/auto-update/run`,
        summary: "Runs podman's auto-update, or looks what it would do.",
        ...{ headers: HEADERS, body: autoUpdateBody },
        answers: { 202: autoUpdateView },
        refusals: ['IDEMPOTENCY_KEY_REUSED'],
      },
      async ({ body }, request, reply) =>
        answer(request, reply, await actions.autoUpdate(readCall(body, request))),
    ),
  );
}

/** The path that scripts of the first program call; its answer is text. */
function legacyRoute(actions: ManualActions): Route {
  return route(
    {
      method: 'POST',
      url: '/auto-update',
      summary: "Runs podman's auto-update, within two windows of limits; the oldest form.",
      ...{ headers: HEADERS, query: legacyAutoUpdateQuery, body: legacyAutoUpdateBody },
      answers: { 202: { media: ['text/plain'], about: 'That it was asked for.' } },
      refusals: ['RATE_LIMITED', 'IDEMPOTENCY_KEY_REUSED'],
    },
    async ({ body }, request, reply) => {
      const call = readCall({ ...body, dry_run: false }, request);
      const came = await actions.limitedAutoUpdate(call);
      if (!came.ok) return sendFailure(request, reply, came.failure);
      const { task_id: id } = came.value.body;
      request.note.taskId = id;
      return reply
        .header('location', `/api/tasks/${id}`)
        .type('text/plain; charset=utf-8')
        .send('auto-update triggered\n');
    },
  );
}

/** Reads the key, and notes for the event who asks for what; the token is no part of that. */
function readCall<B extends Wish & { readonly token?: string | undefined }>(
  body: B,
  request: FastifyRequest,
): ManualCall<B> {
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
