import type { FastifyInstance } from 'fastify';
import { PROGRAM } from '../../../shared/config/program-version.ts';
import { ERRORS } from '../../../shared/contract/error-codes.ts';
import type { HealthCheckView, HealthView } from '../../api/views.ts';
import type { HealthCheck } from '../../host/health.ts';
import type { AdminGate } from '../admin-gate.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';

type Parts = { readonly check: () => Promise<readonly HealthCheck[]>; readonly gate: AdminGate };

/** `GET /health`: open to all, for a proxy or a monitor has no token; what was seen in detail is for admins. */
export function registerHealth(app: FastifyInstance, { check, gate }: Parts): void {
  app.get('/health', async (request, reply) => {
    // Monitors ask every few seconds: no event for each.
    request.note.action = '';
    const isAdmin = gate(request.headers.authorization).ok;
    const checks = (await check()).map((one) => toView(one, isAdmin));
    const isWell = checks.every(({ ok }) => ok);
    const view: HealthView = {
      status: isWell ? 'ok' : 'degraded',
      version: PROGRAM.version,
      commit: PROGRAM.commit,
      checks,
    };
    return reply.code(isWell ? 200 : 503).send(view);
  });
  refuseOtherMethods(app, '/health', 'GET', 'health');
}

function toView({ component, failure }: HealthCheck, isAdmin: boolean): HealthCheckView {
  if (!failure) return { component, ok: true };
  const { sentence, hint } = ERRORS[failure.code];
  return {
    component,
    ok: false,
    code: failure.code,
    message: sentence,
    hint,
    ...(isAdmin && failure.detail !== '' && { detail: failure.detail }),
  };
}
