import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { localCallerOf } from './local-callers.ts';

/** What of a request says who asks. */
export type AdminRequest = Pick<FastifyRequest, 'raw'>;

/** Decides whether the caller is an admin, and by what name: `admin`, or `cli:USER` over the service's own socket. */
export type AdminGate = (request: AdminRequest) => Outcome<string>;

/**
 * Closed by default: without a configured token nobody is an admin, and the answer says how to set one. Digests are
 * compared, in constant time, so that neither content nor length of the token shows. Callers over the service's own socket are
 * known already and need none.
 */
export function createAdminGate(token: string | undefined): AdminGate {
  const expected = token === undefined ? undefined : digest(token);
  return (request) => {
    const local = localCallerOf(request);
    if (local !== undefined) return succeed(local);
    if (expected === undefined) return fail('ADMIN_TOKEN_NOT_CONFIGURED', '');
    const given = /^Bearer +(\S{1,4096}) *$/i.exec(request.raw.headers.authorization ?? '')?.[1];
    if (given === undefined) return fail('ADMIN_TOKEN_MISSING', '');
    return timingSafeEqual(digest(given), expected)
      ? succeed('admin')
      : fail('ADMIN_TOKEN_INVALID', '');
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
