import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import type { Outcome } from '../../../shared/contract/outcome.ts';
import { idempotencyKey, selectionBody, serviceBody } from '../../api/manual-requests.ts';
import type { Answer } from '../../tasks/answer-once.ts';
import type { ManualActions, ManualCall, Wish } from '../../tasks/manual-actions.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitCallers } from '../admit-callers.ts';
import { describeCaller } from '../describe-asker.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';
import { sendFailure } from '../problem-reply.ts';
import { acceptJsonBodies, readBy } from '../read-json-body.ts';

type Parts = { readonly actions: ManualActions; readonly gate: AdminGate };

type OfOne = { Params: { slug: string } };

const ROOT = '/api/manual';

/** What is recorded of each, by its path. */
const ACTIONS: Readonly<Record<string, string>> = {
  [`${ROOT}/trigger`]: 'manual-trigger',
  [`${ROOT}/deploy`]: 'manual-deploy',
  [`${ROOT}/services/:slug`]: 'manual-service',
  [`${ROOT}/services/:slug/upgrade`]: 'manual-service-upgrade',
};

/** `POST /api/manual/…`: what scripts and people have done to units; for admins only. */
export function registerManualApi(app: FastifyInstance, { actions, gate }: Parts): void {
  void app.register((scope, _options, done) => {
    admitCallers(scope, gate, ({ routeOptions }) => actionOf(routeOptions.url));
    acceptJsonBodies(scope);
    scope.post(`${ROOT}/trigger`, async (request, reply) => {
      const call = readCall(selectionBody, request);
      return answer(request, reply, await actions.trigger(call));
    });
    scope.post(`${ROOT}/deploy`, async (request, reply) => {
      const call = readCall(selectionBody, request);
      return answer(request, reply, await actions.deploy(call));
    });
    scope.post<OfOne>(`${ROOT}/services/:slug`, async (request, reply) => {
      const call = readCall(serviceBody, request);
      return answer(request, reply, await actions.service(request.params.slug, call));
    });
    scope.post<OfOne>(`${ROOT}/services/:slug/upgrade`, async (request, reply) => {
      const call = readCall(serviceBody, request);
      return answer(request, reply, await actions.upgrade(request.params.slug, call));
    });
    for (const [url, action] of Object.entries(ACTIONS)) {
      refuseOtherMethods(scope, url, 'POST', action);
    }
    done();
  });
}

function actionOf(url: string | undefined): string {
  return ACTIONS[url ?? ''] ?? 'manual-api';
}

/** Reads body and key, and notes for the event who asks for what; the token is no part of that. */
function readCall<T extends z.ZodType<Wish & { readonly token?: string | undefined }>>(
  schema: T,
  request: FastifyRequest,
): ManualCall<z.output<T>> {
  const body = readBy(schema, request.body ?? {});
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
