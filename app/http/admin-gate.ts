import { createHash, timingSafeEqual } from 'node:crypto';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';

/** Decides whether the caller is an admin, from the Authorization header. */
export type AdminGate = (authorization: string | undefined) => Outcome<'admin'>;

/**
 * Closed by default: without a configured token nobody is an admin, and the answer says how to set one. Digests are
 * compared, in constant time, so that neither content nor length of the token shows.
 */
export function createAdminGate(token: string | undefined): AdminGate {
  const expected = token === undefined ? undefined : digest(token);
  return (authorization) => {
    if (expected === undefined) return fail('ADMIN_TOKEN_NOT_CONFIGURED', '');
    const given = /^Bearer +(\S{1,4096}) *$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) return fail('ADMIN_TOKEN_MISSING', '');
    return timingSafeEqual(digest(given), expected)
      ? succeed('admin')
      : fail('ADMIN_TOKEN_INVALID', '');
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
