import type { FastifyReply, FastifyRequest } from 'fastify';

const NAME = 'podup_session';
/** Browsers take a cookie of this name only with Secure, for Path=/ and of this very host (RFC 6265bis §4.1.3.2). */
const SECURE_NAME = `__Host-${NAME}`;

const PLAIN = valueNamed(NAME);
const SECURE = valueNamed(SECURE_NAME);

/** A value of ours; the first one. */
function valueNamed(name: string): RegExp {
  return new RegExp(`(?:^|; ?)${name}=([\\w-]{43})(?:;|$)`);
}

/** What says how a request is seen by the browser that sends it. */
export type SeenRequest = Pick<FastifyRequest, 'raw'> &
  Partial<Pick<FastifyRequest, 'protocol' | 'server'>>;

/** A proxy that is trusted says so, or the address that people use does. */
function isSecure({ protocol, server }: SeenRequest): boolean {
  return protocol === 'https' || server?.isReachedByHttps === true;
}

/**
 * What the cookie of a session holds. Over https none but the one that no other host of the domain can have set: it could sign
 * somebody in as somebody else.
 */
export function readSessionCookie(request: SeenRequest): string | undefined {
  const { cookie } = request.raw.headers;
  if (cookie === undefined || !cookie.includes(NAME)) return undefined;
  return (isSecure(request) ? SECURE : PLAIN).exec(cookie)?.[1];
}

/** Has the browser keep a session until it ends, for this service alone and out of reach of its pages; without one, forget it. */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  session: { readonly secret: string; readonly endsAt: number } | undefined,
): void {
  const isHttps = isSecure(request);
  const seconds = session ? Math.max(0, Math.floor((session.endsAt - Date.now()) / 1000)) : 0;
  const parts = [
    `${isHttps ? SECURE_NAME : NAME}=${session?.secret ?? ''}`,
    `Max-Age=${seconds}`,
    'Path=/',
    'HttpOnly',
    'SameSite=Strict',
    ...(isHttps ? ['Secure'] : []),
  ];
  reply.header('set-cookie', parts.join('; '));
}
