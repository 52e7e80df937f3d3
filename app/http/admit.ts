import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Failure, FailureError, fail, type Outcome } from '../../shared/contract/outcome.ts';
import type { Identity } from '../access/identity.ts';
import { type Claim, describeAccess, findBeyond, meets, type Need } from '../domain/access.ts';
import type { AdminGate } from './admin-gate.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a route wants of its callers; absent on those that only refuse, to whoever is known. */
    needs?: Need;
  }
  interface FastifyRequest {
    /** Who calls, where a route wants to know; null before that, and where anybody may call. */
    caller: Identity | null;
  }
}

/** How callers are let in. */
export type Admission = {
  readonly gate: AdminGate;
  /**
   * Scripts of the older programs know these routes: where a request says in no other way who asks, the token may stand in the
   * body, as `token`, or in the query. The body is small, and is read before the caller is known then.
   */
  readonly takesOldTokens: boolean;
};

const LOOKS = ['GET', 'HEAD'];

/** Lets nobody at the routes of a scope who may not call them; before a byte of the body is read where that can be. */
export function admitCallers(scope: FastifyInstance, { gate, takesOldTokens }: Admission): void {
  scope.addHook('onRequest', (request, _reply, next) => {
    const { needs } = request.routeOptions.config;
    if (needs === 'anyone' || needs === 'hook') return next();
    const refusal = admit(request, gate(request));
    const isNamed = request.raw.headers.authorization !== undefined;
    const mayBeIn = takesOldTokens && !isNamed;
    if (refusal && mayBeIn && ERRORS_OF_NOBODY.has(refusal.code)) return next();
    next(refusal && new FailureError(refusal));
  });
  if (!takesOldTokens) return;
  scope.addHook('preValidation', (request, _reply, next) => {
    if (request.caller !== null) return next();
    const token = tokenIn(request.body) ?? tokenIn(request.query);
    const refusal = admit(request, gate(request, token));
    next(refusal && new FailureError(refusal));
  });
}

/** Nobody that is known: somebody may be by what stands in the body. */
const ERRORS_OF_NOBODY: ReadonlySet<string> = new Set<Failure['code']>([
  'ADMIN_TOKEN_MISSING',
  'FORWARD_AUTH_REFUSED',
  'FORWARD_AUTH_UNTRUSTED',
  'SESSION_ENDED',
]);

/** Notes who calls; why that is not enough for this route. */
function admit(request: FastifyRequest, found: Outcome<Identity>): Failure | undefined {
  if (!found.ok) return found.failure;
  const identity = found.value;
  request.note.actor = identity.name;
  const { needs } = request.routeOptions.config;
  if (needs !== undefined && !meets(identity.access, needs)) return lacks(identity, needs);
  if (needs !== undefined && identity.isAmbient && !LOOKS.includes(request.method)) {
    const checked = request.server.sites.ofChange(request);
    if (!checked.ok) return checked.failure;
  }
  request.caller = identity;
  return undefined;
}

/** Refuses what is beyond the access of who calls, before anything is done: SCOPE_MISSING. */
export function checkClaim(request: FastifyRequest, claim: Claim): void {
  const { caller } = request;
  if (!caller) throw new Error('a claim without a caller');
  const beyond = findBeyond(caller.access, claim);
  if (beyond !== null) throw new FailureError(lacks(caller, beyond));
}

function lacks({ name, access }: Identity, what: string): Failure {
  const allowed = describeAccess(access) || 'nothing';
  return fail('SCOPE_MISSING', `It needs ${what}; ${name} has ${allowed}.`).failure;
}

function tokenIn(fields: unknown): string | undefined {
  const { token } = (fields ?? {}) as { readonly token?: unknown };
  return typeof token === 'string' && token.length > 0 && token.length <= 4096 ? token : undefined;
}
