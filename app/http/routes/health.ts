import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PROGRAM } from '../../../shared/config/program-version.ts';
import { ERRORS } from '../../../shared/contract/error-codes.ts';
import { type HealthCheckView, type HealthView, healthView } from '../../api/views.ts';
import type { HealthCheck } from '../../host/health.ts';
import type { AdminGate } from '../admin-gate.ts';
import { route, serveRoutes } from '../serve-routes.ts';

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
  const answer = (
    request: FastifyRequest,
    reply: FastifyReply,
    found: readonly HealthCheck[],
  ): FastifyReply => {
    const view = toHealth(found, gate(request).ok);
    noteFailures(request, found);
    return reply.code(view.status === 'ok' ? 200 : 503).send(view);
  };
  const answers = { 200: healthView, 503: healthView };
  serveRoutes(app, { action: 'health' }, [
    route(
      {
        method: 'GET',
        url: '/health',
        summary: 'What works and what does not; details for admins.',
        answers,
      },
      async (_given, request, reply) => answer(request, reply, await check()),
    ),
    route(
      {
        method: 'GET',
        url: '/health/self',
        summary: 'The program by itself, without its host.',
        answers,
      },
      (_given, request, reply) => answer(request, reply, checkOwn()),
    ),
  ]);
}

/** What is wrong, without the details: whoever compares two answers is to see a change of what is wrong only. */
function noteFailures(request: FastifyRequest, found: readonly HealthCheck[]): void {
  const failing = found.flatMap(({ component, failure }) =>
    failure ? [{ component, code: failure.code }] : [],
  );
  const [first] = failing;
  if (!first) return;
  request.note.code = first.code;
  request.note.meta = { failing };
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
