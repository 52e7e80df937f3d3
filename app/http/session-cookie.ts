import type { FastifyReply, FastifyRequest } from 'fastify';

const NAME = 'podup_session';
/** Browsers take a cookie of this name only with Secure, for Path=/ and of this very host (RFC 6265bis §4.1.3.2). */
const SECURE_NAME = `__Host-${NAME}`;

/** A value of ours; the first one, and of both names the one that no other host of the domain can have set. */
const COOKIES = [SECURE_NAME, NAME].map(
  (name) => new RegExp(`(?:^|; ?)${name}=([\\w-]{43})(?:;|$)`),
);

/** What the cookie of a session holds. */
export function readSessionCookie(header: string | undefined): string | undefined {
  if (header === undefined || !header.includes(NAME)) return undefined;
  for (const cookie of COOKIES) {
    const [, secret] = cookie.exec(header) ?? [];
    if (secret !== undefined) return secret;
  }
  return undefined;
}

/** Has the browser keep a session until it ends, for this service alone and out of reach of its pages; without one, forget it. */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  session: { readonly secret: string; readonly endsAt: number } | undefined,
): void {
  // As the browser sees it: a proxy that is trusted says so, or the address that people use does.
  const isSecure = request.protocol === 'https' || request.server.isReachedByHttps;
  const seconds = session ? Math.max(0, Math.floor((session.endsAt - Date.now()) / 1000)) : 0;
  const parts = [
    `${isSecure ? SECURE_NAME : NAME}=${session?.secret ?? ''}`,
    `Max-Age=${seconds}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Strict',
    ...(isSecure ? ['Secure'] : []),
  ];
  reply.header('set-cookie', parts.join('; '));
}
