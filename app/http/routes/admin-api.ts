import type { FastifyInstance } from 'fastify';
import { quarantineParams, quarantineUnitParams } from '../../api/queries.ts';
import { quarantineView, releasedView } from '../../api/views.ts';
import type { Store } from '../../db/store.ts';
import { listQuarantine } from '../../tasks/quarantine.ts';
import type { AdminGate } from '../admin-gate.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly store: Store;
  readonly gate: AdminGate;
  /** Lets an image of a unit be deployed again, without a digest all of them; how many there were. */
  readonly release: (unit: string, digest?: string) => Promise<number>;
};

/** The quarantine, for admins only. */
export function registerAdminApi(app: FastifyInstance, { store, gate, release }: Parts): void {
  serveRoutes(app, { action: 'quarantine-api', gate }, [
    route(
      {
        method: 'GET',
        url: '/api/quarantine',
        needs: 'read',
        summary: 'Images that failed and are left alone.',
        answers: { 200: quarantineView },
      },
      () => ({ images: listQuarantine(store, Date.now()) }),
    ),
    route(
      {
        method: 'DELETE',
        url: '/api/quarantine/:unit/:digest',
        needs: 'admin',
        summary: 'Lets an image be deployed again.',
        params: quarantineParams,
        answers: { 204: null },
        refusals: ['QUARANTINE_NOT_FOUND'],
      },
      async ({ params: { unit, digest } }, request, reply) => {
        const released = await release(unit, digest);
        if (released > 0) return reply.send();
        const detail = `${digest} of ${unit}.`;
        return sendFailure(request, reply, { code: 'QUARANTINE_NOT_FOUND', detail });
      },
    ),
    route(
      {
        method: 'DELETE',
        url: '/api/quarantine/:unit',
        needs: 'admin',
        summary: 'Lets all images of a unit be deployed again.',
        params: quarantineUnitParams,
        answers: { 200: releasedView },
        refusals: ['QUARANTINE_NOT_FOUND'],
      },
      async ({ params: { unit } }, request, reply) => {
        const released = await release(unit);
        if (released > 0) return { unit, released };
        return sendFailure(request, reply, { code: 'QUARANTINE_NOT_FOUND', detail: `${unit}.` });
      },
    ),
  ]);
}
