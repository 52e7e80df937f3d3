import type { FastifyInstance } from 'fastify';
import { PROGRAM } from '../../../shared/config/program-version.ts';
import { ERRORS } from '../../../shared/contract/error-codes.ts';
import type { HealthCheckView, HealthView } from '../../api/views.ts';
import type { HealthCheck } from '../../host/health.ts';
import type { AdminGate } from '../admin-gate.ts';
import { refuseOtherMethods } from '../method-not-allowed.ts';

type Parts = {
  readonly check: () => Promise<readonly HealthCheck[]>;
  /** Our own parts only: quick, and the same whatever the host does. */
  readonly checkOwn: () => readonly HealthCheck[];
  readonly gate: AdminGate;
};

/**
 * `GET /health`: open to all, for a proxy or a monitor has no token; what was seen in detail is for admins.
 * `GET /health/self`: whether this program is well, whatever its host is; the supervisor asks it of a new version.
 */
export function registerHealth(app: FastifyInstance, { check, checkOwn, gate }: Parts): void {
  app.get('/health', async (request, reply) => {
    // Monitors ask every few seconds: no event for each.
    request.note.action = '';
    const isAdmin = gate(request.headers.authorization).ok;
    const view = toHealth(await check(), isAdmin);
    return reply.code(view.status === 'ok' ? 200 : 503).send(view);
  });
  app.get('/health/self', (request, reply) => {
    request.note.action = '';
    const view = toHealth(checkOwn(), gate(request.headers.authorization).ok);
    return reply.code(view.status === 'ok' ? 200 : 503).send(view);
  });
  for (const url of ['/health', '/health/self']) refuseOtherMethods(app, url, 'GET', 'health');
}

function toHealth(found: readonly HealthCheck[], isAdmin: boolean): HealthView {
  const checks = found.map((one) => toView(one, isAdmin));
  return {
    status: checks.every(({ ok }) => ok) ? 'ok' : 'degraded',
    version: PROGRAM.version,
    commit: PROGRAM.commit,
    checks,
  };
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
