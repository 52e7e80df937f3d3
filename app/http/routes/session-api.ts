import type { FastifyInstance, FastifyRequest } from 'fastify';
import { viewFailure } from '../../api/problem.ts';
import { type CALLER_RIGHTS, type SessionView, sessionView } from '../../api/session-views.ts';
import {
  type Access,
  findBeyond,
  mayDeployUnit,
  meets,
  type Need,
  toScopes,
} from '../../domain/access.ts';
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
        needs: 'anyone',
        summary: 'Who calls, how that is known, and what the caller may do to which unit.',
        answers: { 200: sessionView },
      },
      (_given, request) => describeSession(gate, known, request),
    ),
  ]);
}

/** What each right wants. */
const RIGHTS = [
  ['read', 'read'],
  ['deploy', 'deploy'],
  ['manage', 'admin'],
  ['self-update', 'admin'],
] as const satisfies readonly (readonly [(typeof CALLER_RIGHTS)[number], Need])[];

function describeSession(gate: AdminGate, known: KnownUnits, request: FastifyRequest): SessionView {
  const admitted = gate(request);
  if (!admitted.ok) {
    const refusal = viewFailure(admitted.failure);
    const nothing = { scopes: [], ends_at: null, may: [], units: [] };
    return { caller: null, recognised_by: null, refusal, ...nothing };
  }
  const { name, by, access, endsAt } = admitted.value;
  request.note.actor = name;
  return {
    caller: name,
    recognised_by: by,
    refusal: null,
    scopes: toScopes(access),
    ends_at: endsAt === null ? null : new Date(endsAt).toISOString(),
    may: RIGHTS.filter(([, need]) => meets(access, need)).map(([right]) => right),
    units: known
      .all()
      .filter(({ unit }) => meets(access, 'read') || mayDeployUnit(access, unit))
      .map(({ unit }) => viewUnit(known, access, unit)),
  };
}

function viewUnit(known: KnownUnits, access: Access, unit: string): SessionView['units'][number] {
  const right = (trigger: Trigger) => {
    const admission = known.admit(trigger, unit);
    return admission.allowed
      ? { allowed: true, reason: null }
      : { allowed: false, reason: admission.reason };
  };
  const own = (trigger: Trigger, isInScope: boolean) =>
    isInScope ? right(trigger) : { allowed: false, reason: 'out-of-scope' as const };
  return {
    unit,
    deploy: own('person', mayDeployUnit(access, unit)),
    deploy_all: own('batch', findBeyond(access, 'all') === null),
    webhook: right('webhook'),
    schedule: right('schedule'),
  };
}
