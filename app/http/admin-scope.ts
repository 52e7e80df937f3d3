import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FailureError } from '../../shared/contract/outcome.ts';
import type { AdminGate } from './admin-gate.ts';

/** Lets nobody but admins at the routes of a scope; what was asked for is recorded as `action` either way. */
export function admitAdmins(
  scope: FastifyInstance,
  gate: AdminGate,
  action: (request: FastifyRequest) => string,
): void {
  scope.addHook('onRequest', (request, _reply, next) => {
    request.note.action = action(request);
    const admitted = gate(request);
    if (admitted.ok) request.note.actor = admitted.value;
    next(admitted.ok ? undefined : new FailureError(admitted.failure));
  });
}
