import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type Failure, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { FixedToken } from '../access/access-book.ts';
import { type Identity, lastingIdentity } from '../access/identity.ts';
import { ADMIN_ACCESS } from '../domain/access.ts';
import type { ForwardAuth } from './forward-auth.ts';
import { localCallerOf } from './local-callers.ts';
import { readSessionCookie, type SeenRequest } from './session-cookie.ts';

/** What of a request says who asks. */
export type AdminRequest = Pick<FastifyRequest, 'ip'> & SeenRequest;

/** Tells who calls, or why nobody that is known does; `token` in place of the header, where it stood elsewhere. */
export type AdminGate = (request: AdminRequest, token?: string) => Outcome<Identity>;

/** What is kept of tokens and sessions. */
type StoredCredentials = {
  /** Undefined where it is none of ours. */
  findToken(token: string, address: string | null): Outcome<Identity> | undefined;
  /** By what the cookie holds. */
  findSession(secret: string): Outcome<Identity>;
  /** Whether there is no token at all. */
  readonly isEmpty: boolean;
};

/**
 * Counts credentials that were shown, by the address that they came from; those of a proxy's clients by theirs. Sessions are
 * not counted: a page that is still open asks again and again with one that has ended.
 */
export type CredentialGuard = {
  /** Why none from this address is looked at now. */
  refuse(address: string): Failure | undefined;
  /** What came of one that was looked at; a failure that is to be answered in place of its own. */
  tell(address: string, isGood: boolean): Failure | undefined;
};

/** By what callers are known. */
export type GateParts = {
  readonly tokens: readonly FixedToken[];
  readonly stored?: StoredCredentials;
  readonly forwardAuth?: ForwardAuth;
  /** Whether everybody is an admin who sends this. */
  readonly isOpenTo?: (request: AdminRequest) => boolean;
  readonly guard?: CredentialGuard;
};

/**
 * Closed by default: without a configured credential nobody is known, and the answer says how to set one. Digests are
 * compared, in constant time, so that neither content nor length of a token shows. Callers over the service's own socket are
 * known already and need none. A token that is sent decides alone; then a proxy's word, then a session.
 */
export function createAdminGate(parts: GateParts): AdminGate {
  const known = parts.tokens.map((token) => ({ ...token, digest: digest(token.secret) }));
  return (request, token) => {
    const local = localCallerOf(request);
    if (local !== undefined) return succeed(localIdentity(local));
    const given = token ?? readBearer(request.raw.headers.authorization);
    if (given === undefined) return findWithoutToken(parts, request);
    if (!isConfigured(parts)) return fail('ADMIN_TOKEN_NOT_CONFIGURED', '');
    const { guard, stored } = parts;
    const refused = guard?.refuse(request.ip);
    if (refused) return { ok: false, failure: refused };
    const found =
      findFixed(known, given) ??
      stored?.findToken(given, request.ip ?? null) ??
      fail('ADMIN_TOKEN_INVALID', '');
    const instead = guard?.tell(request.ip, found.ok);
    return instead ? { ok: false, failure: instead } : found;
  };
}

function findWithoutToken(parts: GateParts, request: AdminRequest): Outcome<Identity> {
  const { stored, forwardAuth, isOpenTo } = parts;
  const person = forwardAuth?.(request.raw);
  if (person?.ok) return person;
  const secret = readSessionCookie(request);
  const session = secret === undefined ? undefined : stored?.findSession(secret);
  if (session?.ok) return session;
  if (isOpenTo?.(request)) return succeed(ANYONE);
  if (person) return person;
  if (session) return session;
  return fail(isConfigured(parts) ? 'ADMIN_TOKEN_MISSING' : 'ADMIN_TOKEN_NOT_CONFIGURED', '');
}

/** A monitor's token lets nobody do anything. */
function isConfigured({ tokens, forwardAuth, stored }: GateParts): boolean {
  const isToken = tokens.some(({ access }) => access.monitor !== true);
  return isToken || forwardAuth !== undefined || stored?.isEmpty === false;
}

type Known = FixedToken & { readonly digest: Buffer };

function findFixed(known: readonly Known[], given: string): Outcome<Identity> | undefined {
  const sent = digest(given);
  // Each is compared, whichever fits.
  const [found] = known.filter((token) => timingSafeEqual(token.digest, sent));
  return found && succeed(toIdentity(found));
}

const ANYONE = lastingIdentity({
  ...{ name: 'anyone', by: 'open', access: ADMIN_ACCESS, isAmbient: true },
});

/** Who calls over the service's own socket, or works on the state itself: `cli:USER`. */
export function localIdentity(name: string): Identity {
  return lastingIdentity({ name, by: 'local-socket', access: ADMIN_ACCESS, isAmbient: false });
}

function toIdentity({ name, access }: FixedToken): Identity {
  return lastingIdentity({
    id: name,
    name: `token:${name}`,
    by: 'token',
    access,
    isAmbient: false,
  });
}

function readBearer(header: string | undefined): string | undefined {
  return /^Bearer +(\S{1,4096}) *$/i.exec(header ?? '')?.[1];
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
