import type { FastifyInstance, FastifyRequest } from 'fastify';
import { FailureError } from '../../shared/contract/outcome.ts';
import type { AdminGate } from './admin-gate.ts';

/**
 * Like `admitAdmins`, for routes that older scripts know: where a request says in no other way who asks, the token may
 * stand in the body, as `token`, or in the query. The body is small, and is read before the caller is known then.
 */
export function admitCallers(
  scope: FastifyInstance,
  gate: AdminGate,
  action: (request: FastifyRequest) => string,
): void {
  const admit = (request: FastifyRequest) => {
    const admitted = gate(request);
    if (admitted.ok) request.note.actor = admitted.value;
    return admitted.ok ? undefined : new FailureError(admitted.failure);
  };
  scope.addHook('onRequest', (request, _reply, next) => {
    request.note.action = action(request);
    const refusal = admit(request);
    next(
      refusal?.failure.code === 'ADMIN_TOKEN_MISSING' && !hasHeader(request) ? undefined : refusal,
    );
  });
  scope.addHook('preValidation', (request, _reply, next) => {
    if (request.note.actor !== null) return next();
    const token = tokenIn(request.body) ?? tokenIn(request.query);
    // As if it had come in the header, so that there is one check of it.
    if (token !== undefined) request.raw.headers.authorization = `Bearer ${token}`;
    next(admit(request));
  });
}

function hasHeader(request: FastifyRequest): boolean {
  return request.raw.headers.authorization !== undefined;
}

function tokenIn(fields: unknown): string | undefined {
  const { token } = (fields ?? {}) as { readonly token?: unknown };
  return typeof token === 'string' ? token : undefined;
}
