import type { FastifyInstance } from 'fastify';
import { eventsQuery } from '../../api/queries.ts';
import type { Store } from '../../db/store.ts';
import type { EventWriter } from '../../events/event-writer.ts';
import { listEvents } from '../../events/list-events.ts';
import { listQuarantine } from '../../tasks/quarantine.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';
import { sendFailure } from '../problem-reply.ts';
import { readBy } from '../read-json-body.ts';

type Parts = {
  readonly store: Store;
  readonly events: EventWriter;
  readonly gate: AdminGate;
  /** Lets an image of a unit be deployed again; how many there were. */
  readonly release: (unit: string, digest: string) => Promise<number>;
};

/** Events and the quarantine, for admins only. */
export function registerAdminApi(
  app: FastifyInstance,
  { store, events, gate, release }: Parts,
): void {
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, (request) => `${request.routeOptions.url?.split('/')[2] ?? ''}-api`);
    scope.get('/api/events', async (request) => {
      const { cursor, request_id, action, limit } = readBy(eventsQuery, request.query);
      // What has happened is what can be read, also when it waits for its batch.
      await events.settle();
      return listEvents(store, {
        limit,
        ...(cursor !== undefined && { before: cursor }),
        ...(action !== undefined && { action }),
        ...(request_id !== undefined && { requestId: request_id }),
      });
    });
    scope.get('/api/quarantine', () => ({ images: listQuarantine(store, Date.now()) }));
    for (const url of ['/api/events', '/api/quarantine']) {
      refuseOtherMethods(scope, url, 'GET', 'admin-api');
    }
    scope.delete<{ Params: { unit: string; digest: string } }>(
      '/api/quarantine/:unit/:digest',
      async (request, reply) => {
        const { unit, digest } = request.params;
        const released = await release(unit, digest);
        if (released > 0) return reply.status(204).send();
        const detail = `${digest} of ${unit}.`;
        return sendFailure(request, reply, { code: 'QUARANTINE_NOT_FOUND', detail });
      },
    );
    refuseOtherMethods(scope, '/api/quarantine/:unit/:digest', 'DELETE', 'admin-api');
    done();
  });
}
