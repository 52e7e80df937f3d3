import type { FastifyRequest } from 'fastify';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';

/** A header that no page of another site can send without being asked first (CORS), which nobody here says yes to. */
const CSRF_HEADER = 'x-podup-csrf';

/** Which pages may ask for changes with what a browser sends of its own accord. */
export type SiteCheck = {
  /** The page that asks is one of ours: CROSS_SITE_REQUEST. */
  readonly ofPage: (request: FastifyRequest) => Outcome<void>;
  /** So is every change: CSRF_HEADER_MISSING, too. */
  readonly ofChange: (request: FastifyRequest) => Outcome<void>;
};

/** `baseUrl` is the one under which people reach this service, where that is known. */
export function createSiteCheck(baseUrl: string | undefined): SiteCheck {
  const known = baseUrl === undefined ? undefined : new URL(baseUrl).host;
  const ofPage: SiteCheck['ofPage'] = ({ headers, host }) => {
    const site = headers['sec-fetch-site'];
    // What the browser itself says (Fetch Metadata); a page cannot write it. `none`: a person typed the address.
    if (site === 'same-origin' || site === 'none') return succeed(undefined);
    if (site !== undefined) return fail('CROSS_SITE_REQUEST', `${String(site).slice(0, 20)}.`);
    const { origin } = headers;
    if (origin === undefined) return succeed(undefined);
    const from = URL.parse(origin)?.host;
    const isOurs = from !== undefined && (from === host || from === known);
    return isOurs ? succeed(undefined) : fail('CROSS_SITE_REQUEST', `${origin.slice(0, 200)}.`);
  };
  return {
    ofPage,
    ofChange(request) {
      const value = request.headers[CSRF_HEADER];
      if (String(value).trim() !== '1') return fail('CSRF_HEADER_MISSING', '');
      return ofPage(request);
    },
  };
}
