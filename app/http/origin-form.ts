const ABSOLUTE = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i;

/**
 * The target of a request without scheme, user and host, which a client may name in it as it does to a proxy (RFC 9112
 * §3.2.2): what stands before the path is for nobody's record, a password least of all.
 */
export function toOriginForm(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = ABSOLUTE.exec(target)?.[1];
  if (rest === undefined) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
