/** What stands in place of what is secret. */
const MASK = '***';
/** Secrets of hooks, wherever they are: see `makeSecret`. */
const SECRET = /(?:whsec_|puh_)[A-Za-z0-9+/_=-]{16,}/g;
const HOOKS = 'hooks';

/**
 * The path of a request as it may be recorded: of what looks like the URL of a hook only the name is left, since what follows it is a
 * secret. However it is written (with escapes, doubled slashes, below the path of a proxy) and whether there is such a route or not:
 * what was sent to the wrong place is a secret all the same.
 */
export function maskPath(path: string): string {
  // Most paths are of others.
  if (!/hooks|%|whsec_|puh_/i.test(path)) return path;
  const parts = decode(path).split('/');
  const at = parts.findIndex((part) => part.toLowerCase() === HOOKS);
  const isApi = parts[at - 1] === 'api' && at === 2;
  const name = parts.findIndex((part, index) => index > at && part !== '');
  const hasMore = at !== -1 && name !== -1 && parts.slice(name + 1).some((part) => part !== '');
  if (!hasMore || isApi) return path.replaceAll(SECRET, MASK);
  return `${parts.slice(0, name + 1).join('/')}/${MASK}`.replaceAll(SECRET, MASK);
}

/** Every escape that can be read; what is none stays. */
function decode(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}
