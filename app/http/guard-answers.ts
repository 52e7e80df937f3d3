import { createHash } from 'node:crypto';
import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Two years, as browsers ask for before they know a host by heart; the other hosts of its domain are not ours to bind. */
const HTTPS_ONLY = 'max-age=63072000';

/**
 * What a browser may do on a page that needs nothing but its own style, given as it stands between the tags; with none,
 * and for whatever is no page at all: nothing.
 */
export function pagePolicy(style?: string): string {
  const hash = style !== undefined && createHash('sha256').update(style).digest('base64');
  return [
    "default-src 'none'",
    ...(hash ? [`style-src 'sha256-${hash}'`] : []),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * Headers of every answer: no cache keeps it, no browser guesses its type, frames it, lends it to another site, tells
 * another site where a reader came from, or gives it a device. A page says in its own policy what else it needs.
 */
export const GUARDS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': pagePolicy(),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy':
    'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * The same, and where people reach this host by https, that they are to come by https only. A browser heeds that only
 * where it came over https (RFC 6797 §8.1), so it does no harm to whoever reaches the address without the proxy.
 */
export function guardsOf(publicBaseUrl: string | undefined): Readonly<Record<string, string>> {
  const isHttps = publicBaseUrl?.startsWith('https:') === true;
  return isHttps ? { ...GUARDS, 'strict-transport-security': HTTPS_ONLY } : GUARDS;
}

/**
 * A response that carries them, whoever writes its head: a route, a stream that took it from the framework, the framework
 * for a path that it cannot route, and Node itself for a request without Host or with an expectation that it does not know.
 */
export function guardAnswers(guards: Readonly<Record<string, string>>): typeof ServerResponse {
  const pairs = Object.entries(guards).flat();
  return class<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
    override writeHead(status: number, ...rest: readonly unknown[]): this {
      // A text before the headers is the reason phrase, which nobody gives.
      const given = rest.at(-1) as OutgoingHttpHeaders | readonly string[] | undefined;
      if (isList(given)) return super.writeHead(status, [...pairs, ...given]);
      return super.writeHead(status, { ...guards, ...given });
    }
  };
}

function isList(
  headers: OutgoingHttpHeaders | readonly string[] | undefined,
): headers is readonly string[] {
  return Array.isArray(headers);
}
