import type { FastifyInstance, FastifyRequest } from 'fastify';
import { viewFailure } from '../../api/problem.ts';
import { CALLER_RIGHTS, type SessionView, sessionView } from '../../api/session-views.ts';
import type { Trigger } from '../../domain/unit-triggers.ts';
import type { KnownUnits } from '../../units/known-units.ts';
import type { AdminGate } from '../admin-gate.ts';
import { route, serveRoutes } from '../serve-routes.ts';

type Parts = { readonly gate: AdminGate; readonly known: KnownUnits };

/** `GET /api/session`: for everybody, who is told what the gate makes of the call; the units for who may look only. */
export function registerSessionApi(app: FastifyInstance, { gate, known }: Parts): void {
  serveRoutes(app, { action: 'session-api' }, [
    route(
      {
        method: 'GET',
        url: '/api/session',
        summary: 'Who calls, how that is known, and what the caller may do to which unit.',
        answers: { 200: sessionView },
      },
      (_given, request) => describeSession(gate, known, request),
    ),
  ]);
}

function describeSession(gate: AdminGate, known: KnownUnits, request: FastifyRequest): SessionView {
  const admitted = gate(request);
  if (!admitted.ok) {
    const refusal = viewFailure(admitted.failure);
    return { caller: null, recognised_by: null, refusal, may: [], units: [] };
  }
  const caller = admitted.value;
  request.note.actor = caller;
  const right = (trigger: Trigger, unit: string) => {
    const admission = known.admit(trigger, unit);
    return admission.allowed
      ? { allowed: true, reason: null }
      : { allowed: false, reason: admission.reason };
  };
  return {
    caller,
    recognised_by: caller.startsWith('cli:') ? 'local-socket' : 'token',
    refusal: null,
    may: [...CALLER_RIGHTS],
    units: known.all().map(({ unit }) => ({
      unit,
      deploy: right('person', unit),
      deploy_all: right('batch', unit),
      webhook: right('webhook', unit),
      schedule: right('schedule', unit),
    })),
  };
}
