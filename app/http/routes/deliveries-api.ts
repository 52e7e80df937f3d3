import type { FastifyInstance } from 'fastify';
import {
  deliveriesQuery,
  deliveryDetailView,
  deliveryPageView,
  deliveryParams,
  missedPageView,
  numberedQuery,
  refusedPageView,
  replayedView,
} from '../../api/delivery-views.ts';
import { emptyBody } from '../../api/self-update-requests.ts';
import type { Store } from '../../db/store.ts';
import {
  listDeliveries,
  listMissed,
  listRefused,
  readDelivery,
} from '../../deliveries/list-deliveries.ts';
import { type ReplayParts, replayDelivery, unitsOf } from '../../intake/replay-delivery.ts';
import type { AdminGate } from '../admin-gate.ts';
import { addressOf, describeAsker } from '../describe-asker.ts';
import { sendFailure } from '../problem-reply.ts';
import { deployRoute, type Route, route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly store: Store;
  readonly gate: AdminGate;
  readonly replay: ReplayParts;
};

/** `/api/deliveries`: what came in, what was made of it, and what did not come. */
export function registerDeliveriesApi(app: FastifyInstance, parts: Parts): void {
  const { store, gate } = parts;
  serveRoutes(app, { action: 'deliveries-api', gate }, [
    route(
      {
        ...{ method: 'GET', url: '/api/deliveries', needs: 'read', query: deliveriesQuery },
        summary: 'Webhooks that were let in, newest first, with what was made of them.',
        answers: { 200: deliveryPageView },
      },
      ({ query }) => listDeliveries(store, query),
    ),
    route(
      {
        ...{ method: 'GET', url: '/api/deliveries/refused', needs: 'read', query: numberedQuery },
        summary: 'Webhooks that were refused, newest first, of each address those of a minute.',
        answers: { 200: refusedPageView },
      },
      ({ query }) => listRefused(store, query),
    ),
    route(
      {
        ...{ method: 'GET', url: '/api/deliveries/missed', needs: 'read', query: numberedQuery },
        summary: 'Pushes that no delivery has told of, newest first.',
        answers: { 200: missedPageView },
      },
      ({ query }) => listMissed(store, query),
    ),
    route(
      {
        ...{ method: 'GET', url: '/api/deliveries/:id', needs: 'read', params: deliveryParams },
        summary: 'One delivery with everything that is kept of it.',
        answers: { 200: deliveryDetailView },
        refusals: ['DELIVERY_NOT_FOUND'],
      },
      ({ params }, request, reply) => {
        const found = readDelivery(store, params.id);
        return found.ok ? found.value : sendFailure(request, reply, found.failure);
      },
    ),
    replaying(parts),
  ]);
}

function replaying({ store, replay }: Parts): Route {
  return deployRoute(
    {
      ...{ method: 'POST', url: '/api/deliveries/:id/replay', params: deliveryParams },
      summary: 'Does a delivery anew, from the bytes that came.',
      body: emptyBody,
      answers: { 202: replayedView },
      refusals: ['DELIVERY_NOT_FOUND', 'DELIVERY_NOT_REPLAYABLE', 'SPOOL_DISK_FULL'],
      fails: true,
    },
    ({ params: { id } }) => {
      const row = store.deliveries.find(id);
      if (!row) return undefined;
      const units = unitsOf(store, row);
      return units.length > 0 ? units : 'all';
    },
    async ({ params: { id } }, request, reply) => {
      request.note.meta = { command: 'replay', delivery: id };
      const { by, requestId } = describeAsker(request);
      const done = await replayDelivery(replay, id, { by, requestId, address: addressOf(request) });
      if (!done.ok) return sendFailure(request, reply, done.failure);
      request.note.deliveryId = done.value[0]?.id ?? null;
      const deliveries = done.value.map(({ id: delivery, unit, verdict }) => ({
        ...{ delivery, unit, verdict: verdict.verdict },
        reason: 'reason' in verdict ? verdict.reason : null,
      }));
      return { replay_of: id, deliveries };
    },
  );
}
