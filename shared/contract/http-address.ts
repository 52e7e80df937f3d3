/** A numeric address and a TCP port to listen on. */
export type HttpAddress = { readonly host: string; readonly port: number };

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;
const IPV6 = /^[0-9a-fA-F:]+(?:\.\d+){0,3}$/;

/**
 * Reads `ADDRESS:PORT`: an IPv4 address, an IPv6 one in brackets, or `localhost`. No names are looked up, for the
 * supervisor binds before anything else and a slow resolver must not keep the service down.
 */
export function parseHttpAddress(raw: string): HttpAddress | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(raw.trim());
  if (!match) return undefined;
  const [, v6, v4, digits] = match;
  const port = Number(digits);
  if (port > 65_535) return undefined;
  if (v6 !== undefined) return isIpv6(v6) ? { host: v6, port } : undefined;
  if (v4 === 'localhost') return { host: '127.0.0.1', port };
  return v4 !== undefined && IPV4.test(v4) ? { host: v4, port } : undefined;
}

function isIpv6(text: string): boolean {
  return IPV6.test(text) && URL.canParse(`http://[${text}]`);
}

/** The address as it stands in a URL. */
export function formatHttpAddress({ host, port }: HttpAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can reach the address. */
export function isLoopback({ host }: HttpAddress): boolean {
  return host === '::1' || host.startsWith('127.');
}
