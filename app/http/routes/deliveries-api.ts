import type { FastifyInstance } from 'fastify';
import {
  deliveriesQuery,
  deliveryDetailView,
  deliveryPageView,
  deliveryParams,
  missedPageView,
  numberedQuery,
  refusedPageView,
} from '../../api/delivery-views.ts';
import type { Store } from '../../db/store.ts';
import {
  listDeliveries,
  listMissed,
  listRefused,
  readDelivery,
} from '../../deliveries/list-deliveries.ts';
import type { AdminGate } from '../admin-gate.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly store: Store;
  readonly gate: AdminGate;
};

/** `/api/deliveries`: what came in, what was made of it, and what did not come. */
export function registerDeliveriesApi(app: FastifyInstance, { store, gate }: Parts): void {
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
  ]);
}
