import type { FastifyInstance } from 'fastify';
import type { ReleasedView } from '../../api/views.ts';
import type { Store } from '../../db/store.ts';
import { listQuarantine } from '../../tasks/quarantine.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';
import { sendFailure } from '../problem-reply.ts';

type Parts = {
  readonly store: Store;
  readonly gate: AdminGate;
  /** Lets an image of a unit be deployed again, without a digest all of them; how many there were. */
  readonly release: (unit: string, digest?: string) => Promise<number>;
};

/** The quarantine, for admins only. */
export function registerAdminApi(app: FastifyInstance, { store, gate, release }: Parts): void {
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, (request) => `${request.routeOptions.url?.split('/')[2] ?? ''}-api`);
    scope.get('/api/quarantine', () => ({ images: listQuarantine(store, Date.now()) }));
    refuseOtherMethods(scope, '/api/quarantine', 'GET', 'admin-api');
    scope.delete<{ Params: { unit: string; digest: string } }>(
      '/api/quarantine/:unit/:digest',
      async (request, reply) => {
        const { unit, digest } = request.params;
        if ((await release(unit, digest)) > 0) return reply.status(204).send();
        const detail = `${digest} of ${unit}.`;
        return sendFailure(request, reply, { code: 'QUARANTINE_NOT_FOUND', detail });
      },
    );
    refuseOtherMethods(scope, '/api/quarantine/:unit/:digest', 'DELETE', 'admin-api');
    scope.delete<{ Params: { unit: string } }>('/api/quarantine/:unit', async (request, reply) => {
      const { unit } = request.params;
      const view: ReleasedView = { unit, released: await release(unit) };
      if (view.released > 0) return view;
      return sendFailure(request, reply, { code: 'QUARANTINE_NOT_FOUND', detail: `${unit}.` });
    });
    refuseOtherMethods(scope, '/api/quarantine/:unit', 'DELETE', 'admin-api');
    done();
  });
}
