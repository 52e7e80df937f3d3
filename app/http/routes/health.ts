import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { healthView } from '../../api/health-views.ts';
import { meets } from '../../domain/access.ts';
import { type HealthState, severityOf } from '../../domain/health.ts';
import { viewHealth } from '../../health/view-health.ts';
import type { AdminGate } from '../admin-gate.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = {
  readonly check: () => Promise<readonly HealthState[]>;
  /** Our own parts only: quick, and the same whatever the host does. */
  readonly checkOwn: () => readonly HealthState[];
  readonly gate: AdminGate;
};

/**
 * `GET /health`: open to all, for a proxy or a monitor has no token; what was seen in detail is for who may look.
 * `GET /health/self`: whether this program is well, whatever its host is; the supervisor asks it of a new version.
 */
export function registerHealth(app: FastifyInstance, { check, checkOwn, gate }: Parts): void {
  const answer = (
    request: FastifyRequest,
    reply: FastifyReply,
    found: readonly HealthState[],
  ): FastifyReply => {
    const view = viewHealth(found, mayLook(gate, request));
    noteFailures(request, found);
    return reply.code(view.status === 'ok' ? 200 : 503).send(view);
  };
  const answers = { 200: healthView, 503: healthView };
  serveRoutes(app, { action: 'health' }, [
    route(
      {
        method: 'GET',
        url: '/health',
        needs: 'anyone',
        summary: 'What works and what does not; details for who may look.',
        answers,
      },
      async (_given, request, reply) => answer(request, reply, await check()),
    ),
    route(
      {
        method: 'GET',
        url: '/health/self',
        needs: 'anyone',
        summary: 'The program by itself, without its host.',
        answers,
      },
      (_given, request, reply) => answer(request, reply, checkOwn()),
    ),
  ]);
}

function mayLook(gate: AdminGate, request: FastifyRequest): boolean {
  const known = gate(request);
  return known.ok && meets(known.value.access, 'read');
}

/** What is wrong, without the details: whoever compares two answers is to see a change of what is wrong only. */
function noteFailures(request: FastifyRequest, found: readonly HealthState[]): void {
  const failing = found.flatMap(({ component, failure }) =>
    failure && severityOf(failure.code) === 'error' ? [{ component, code: failure.code }] : [],
  );
  const [first] = failing;
  if (!first) return;
  request.note.code = first.code;
  request.note.meta = { failing };
}
