import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FailureError } from '../../shared/contract/outcome.ts';
import type { AdminGate } from './admin-gate.ts';

/**
 * Like `admitAdmins`, for routes that older scripts know: the token may also stand in the body, as `token`, or in the
 * query. A header goes first, and then nothing else is looked at. The body is small, and it is read before the caller is known.
 */
export function admitCallers(
  scope: FastifyInstance,
  gate: AdminGate,
  action: (request: FastifyRequest) => string,
): void {
  const admit = (request: FastifyRequest, authorization: string | undefined) => {
    const admitted = gate(authorization);
    if (admitted.ok) request.note.actor = admitted.value;
    return admitted.ok ? undefined : new FailureError(admitted.failure);
  };
  scope.addHook('onRequest', (request, _reply, next) => {
    request.note.action = action(request);
    const { authorization } = request.headers;
    next(authorization === undefined ? undefined : admit(request, authorization));
  });
  scope.addHook('preValidation', (request, _reply, next) => {
    if (request.headers.authorization !== undefined) return next();
    const token = tokenIn(request.body) ?? tokenIn(request.query);
    next(admit(request, token === undefined ? undefined : `Bearer ${token}`));
  });
}

function tokenIn(fields: unknown): string | undefined {
  const { token } = (fields ?? {}) as { readonly token?: unknown };
  return typeof token === 'string' ? token : undefined;
}
