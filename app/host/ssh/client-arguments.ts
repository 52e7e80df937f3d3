import type { SshTarget } from '../../../shared/contract/ssh-target.ts';

/** What every client of a host is told, see ssh_config(5). */
export type ClientOptions = {
  readonly target: SshTarget;
  /** More options, before all others; the first one counts. */
  readonly extra: readonly string[];
  /** The socket of the connection that is shared. */
  readonly controlPath: string;
};

/** A dead peer is noticed after 15 s: one interval of silence, and one for each question without an answer. */
const ALIVE_INTERVAL_S = 5;
const ALIVE_COUNT = 2;

/** What a client says on stderr that did not get its session over the shared connection: nothing has run. */
export const NOT_SHARED = 'podup-not-shared';

const QUIET = [
  // The known_hosts of the user decides, and nothing is asked.
  ...['BatchMode=yes', 'StrictHostKeyChecking=yes', 'UpdateHostKeys=no', 'AddKeysToAgent=no'],
  ...['ForwardAgent=no', 'ForwardX11=no', 'Tunnel=no', 'GSSAPIDelegateCredentials=no'],
  ...['ClearAllForwardings=yes', 'PermitLocalCommand=no', 'RequestTTY=no', 'EscapeChar=none'],
  ...['ControlPersist=no', 'VisualHostKey=no', 'RemoteCommand=none'],
];
/** Clients before 8.7 do not know them, nor can their configuration name them. */
const YOUNGER = ['StdinNull=no', 'ForkAfterAuthentication=no', 'SessionType=default'];

/** The client that opens the connection and holds it for as long as `command` runs there. */
export function masterArguments(
  options: ClientOptions,
  connectTimeoutMs: number,
  command: string,
): [string, ...string[]] {
  const own = [
    ...['ControlMaster=yes', toControlPath(options), 'LogLevel=INFO'],
    `ConnectTimeout=${Math.max(1, Math.ceil(connectTimeoutMs / 1000))}`,
    ...[`ServerAliveInterval=${ALIVE_INTERVAL_S}`, `ServerAliveCountMax=${ALIVE_COUNT}`],
    ...youngerOptions(),
  ];
  return [...head(options, own), command];
}

/** A client that runs `command` over the open connection, and over no other. */
export function sessionArguments(options: ClientOptions, command: string): [string, ...string[]] {
  return [...head(options, [...sharedOnly(options), ...youngerOptions()]), command];
}

/** A client whose streams are a connection to `host:port` as seen from there. */
export function forwardArguments(
  options: ClientOptions,
  host: string,
  port: number,
): [string, ...string[]] {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return head(options, sharedOnly(options), ['-W', place]);
}

/** A client that gets no session there would open a connection of its own: it gets none, and says so. */
function sharedOnly(options: ClientOptions): string[] {
  return [
    ...['ControlMaster=no', toControlPath(options), 'LogLevel=ERROR'],
    `ProxyCommand=sh -c 'echo ${NOT_SHARED} >&2'`,
  ];
}

/** Quoted for its blanks; `%` begins a token. */
function toControlPath({ controlPath }: ClientOptions): string {
  return `ControlPath="${controlPath.replaceAll('%', '%%')}"`;
}

function youngerOptions(): string[] {
  return [`IgnoreUnknown=${YOUNGER.map((option) => option.split('=')[0]).join(',')}`, ...YOUNGER];
}

function head(
  { target, extra }: ClientOptions,
  own: readonly string[],
  flags: readonly string[] = [],
): [string, ...string[]] {
  return [
    'ssh',
    ...extra,
    ...['-T', '-a', '-x', ...flags],
    ...[...QUIET, ...own].flatMap((option) => ['-o', option]),
    ...(target.user === undefined ? [] : ['-l', target.user]),
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    '--',
    target.host,
  ];
}
