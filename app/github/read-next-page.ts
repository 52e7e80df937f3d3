const LINK = /<([^<>]{1,2000})>\s*;[^,<]*\brel="?next"?/;
const MAX_LINK_LENGTH = 8_192;

/**
 * The older page that a Link header (RFC 8288) names; undefined where it names none. A link that leads to another origin or path
 * is none: it would be sent the token.
 */
export function readNextPage(link: string | undefined, asked: URL): URL | undefined {
  if (link === undefined || link.length > MAX_LINK_LENGTH) return undefined;
  const next = URL.parse(LINK.exec(link)?.[1] ?? '', asked);
  if (!next || next.origin !== asked.origin || next.pathname !== asked.pathname) return undefined;
  const cursor = next.searchParams.get('cursor');
  if (cursor === null || cursor === asked.searchParams.get('cursor')) return undefined;
  const page = new URL(asked);
  page.searchParams.set('cursor', cursor);
  return page;
}
