import type { FastifyInstance } from 'fastify';
import { checkBody, checksQuery } from '../../api/check-requests.ts';
import type { CheckDoneView, UpdateChecksView } from '../../api/check-views.ts';
import type { UpdateChecks } from '../../checks/update-checks.ts';
import type { AdminGate } from '../admin-gate.ts';
import { admitAdmins } from '../admin-scope.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';
import { sendFailure } from '../problem-reply.ts';
import { acceptJsonBodies, readBy } from '../read-json-body.ts';

const URL = '/api/update-checks';

/** `GET` and `POST /api/update-checks`: what was found, and looking now; for admins only. */
export function registerUpdateChecksApi(
  app: FastifyInstance,
  { checks, gate }: { readonly checks: UpdateChecks; readonly gate: AdminGate },
): void {
  void app.register((scope, _options, done) => {
    admitAdmins(scope, gate, () => 'update-checks-api');
    acceptJsonBodies(scope);
    scope.get(URL, (request): UpdateChecksView => checks.list(readBy(checksQuery, request.query)));
    scope.post(URL, async (request, reply): Promise<CheckDoneView | unknown> => {
      const { units } = readBy(checkBody, request.body ?? {});
      request.note.meta = { units: units ?? null };
      const checked = await checks.checkNow(units);
      return checked.ok ? checked.value : sendFailure(request, reply, checked.failure);
    });
    refuseOtherMethods(scope, URL, ['GET', 'POST'], 'update-checks-api');
    done();
  });
}
