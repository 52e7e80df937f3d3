/** Where to log in. What is absent is decided by the configuration of the SSH client. */
export type SshTarget = {
  readonly user?: string;
  /** A name, a name of `ssh_config`, or an address without brackets. */
  readonly host: string;
  readonly port?: number;
};

const MAX_CHARACTERS = 300;
/** Nothing that a shell, the client's `%` tokens or an option parser would read as more than a name. */
const USER = /^[A-Za-z0-9_.][A-Za-z0-9_.@+-]*$/;
const HOST = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/;
const ADDRESS_6 = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/;

/** Reads `host`, `user@host` or `ssh://[user@]host[:port][/]`; undefined where it is none of these. */
export function parseSshTarget(text: string): SshTarget | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const isUri = text.startsWith('ssh://');
  const rest = isUri ? text.slice('ssh://'.length).replace(/\/$/, '') : text;
  const at = rest.lastIndexOf('@');
  const user = at < 0 ? undefined : rest.slice(0, at);
  if (user !== undefined && !USER.test(user)) return undefined;
  const place = isUri ? splitPort(rest.slice(at + 1)) : { host: rest.slice(at + 1) };
  if (!place || !isHostName(place.host)) return undefined;
  return { ...(user !== undefined && { user }), ...place };
}

/** Whether this can be the name or address of a host, in the words of an argument list. */
export function isHostName(text: string): boolean {
  return text.length <= MAX_CHARACTERS && (HOST.test(text) || ADDRESS_6.test(text));
}

/** Whether this is a TCP port. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function splitPort(text: string): { host: string; port?: number } | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (bracketed !== undefined && !ADDRESS_6.test(bracketed)) return undefined;
  const host = bracketed ?? plain;
  if (host === undefined) return undefined;
  if (digits === undefined) return { host };
  const port = Number(digits);
  return isPort(port) ? { host, port } : undefined;
}
