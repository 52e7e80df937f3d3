import type { FastifyInstance } from 'fastify';
import { servicesQuery, servicesView } from '../../api/service-views.ts';
import { listServices, type ServicesParts } from '../../units/list-services.ts';
import type { AdminGate } from '../admin-gate.ts';
import { route, serveRoutes } from '../serve-routes.ts';

const URL = '/api/manual/services';
const PATHS = [{ url: URL }, { url: `${URL}/`, isAlias: true }] as const;

/** `GET /api/manual/services`, with or without a slash at its end: every known unit; for admins only. */
export function registerServicesApi(
  app: FastifyInstance,
  { services, gate }: { readonly services: ServicesParts; readonly gate: AdminGate },
): void {
  const routes = PATHS.map((path) =>
    route(
      {
        ...{ method: 'GET', ...path },
        needs: 'read',
        summary: 'Lists the known units, and whether registries have something newer.',
        about: 'From what is stored. A look that is asked for is waited for 20 seconds at most.',
        query: servicesQuery,
        answers: { 200: servicesView },
      },
      ({ query }) => listServices(services, query),
    ),
  );
  serveRoutes(app, { action: 'services-api', gate }, routes);
}
