import type { FastifyInstance } from 'fastify';
import { checkBody, checksQuery } from '../../api/check-requests.ts';
import { checkDoneView, updateChecksView } from '../../api/check-views.ts';
import type { UpdateChecks } from '../../checks/update-checks.ts';
import type { AdminGate } from '../admin-gate.ts';
import { sendFailure } from '../problem-reply.ts';
import { route, serveRoutes } from '../serve-routes.ts';

const URL = '/api/update-checks';

/** `GET` and `POST /api/update-checks`: what was found, and looking now; for admins only. */
export function registerUpdateChecksApi(
  app: FastifyInstance,
  { checks, gate }: { readonly checks: UpdateChecks; readonly gate: AdminGate },
): void {
  serveRoutes(app, { action: 'update-checks-api', gate }, [
    route(
      {
        method: 'GET',
        url: URL,
        needs: 'read',
        summary: 'Tells whether registries have something newer than what the units run.',
        about: 'What the last look has found, with its age; no registry is asked.',
        query: checksQuery,
        answers: { 200: updateChecksView },
      },
      ({ query }) => checks.list(query),
    ),
    route(
      {
        method: 'POST',
        url: URL,
        needs: 'read',
        summary: 'Asks the registries of some units, or of all, now.',
        about:
          'Answers when all is asked, within two minutes. Those who ask meanwhile share a look.',
        body: checkBody,
        answers: { 200: checkDoneView },
        refusals: ['UNIT_NOT_CONFIGURED'],
        fails: true,
      },
      async ({ body }, request, reply) => {
        request.note.meta = { units: body.units ?? null };
        const checked = await checks.checkNow(body.units);
        return checked.ok ? checked.value : sendFailure(request, reply, checked.failure);
      },
    ),
  ]);
}
