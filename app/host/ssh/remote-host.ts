import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { formatEnd, isSuccess, type RunCommand } from '../../../shared/process/run-command.ts';
import type { AuthEnvironment } from '../../domain/auth-environment.ts';
import type { Host } from '../host.ts';
import { inScope, type SystemdScope } from '../in-scope.ts';
import { type PodmanInfo, readPodmanInfo } from '../podman-info.ts';
import { createForwardSockets } from './forward-sockets.ts';
import { readRemoteFolders } from './read-remote-folders.ts';
import type { SshHost } from './ssh-host.ts';

const TIMEOUT_MS = 10_000;

/** A folder of this process alone, and what makes it go. */
type Place = { readonly folder: string; readonly forget: () => void };

/** Another host as the deployments need it. */
export function openRemoteHost(ssh: SshHost, scope: SystemdScope, place: Place): Host {
  const sockets = createForwardSockets(ssh.connect, place.folder);
  return {
    run: inScope(ssh.run, scope),
    isSystem: scope === 'system',
    readText: (path, maxBytes) => readText(ssh.run, path, maxBytes),
    readFolders: (request) => readRemoteFolders(ssh.run, request),
    ask: { http: ssh.askHttp, tcp: ssh.probeTcp },
    readInfo,
    readEnvironment: () => readEnvironment(ssh.run),
    forward: sockets.pathFor,
    close: async () => {
      await sockets.close();
      await ssh.close();
      place.forget();
    },
  };
}

/**
 * A deployment asks podman there for its images, whatever driver it has: the lists in which it keeps them grow with each
 * image, and would come over the line for each question.
 */
async function readInfo(run: RunCommand): Promise<Outcome<PodmanInfo>> {
  const info = await readPodmanInfo(run);
  return info.ok ? succeed({ ...info.value, driver: '' }) : info;
}

/** Says first whether there is something to read, for a file may be empty. */
const READ = `if ! [ -e "$1" ]; then exit 0; fi
[ -f "$1" ] || exit 0
[ -r "$1" ] || exit 13
[ "$(stat -Lc %s "$1")" -le "$2" ] || exit 27
exec cat "$1"`;
const CODES: Readonly<Record<number, string>> = { 13: 'EACCES', 27: 'EFBIG' };

async function readText(run: RunCommand, path: string, maxBytes: number): Promise<string> {
  const result = await run({
    argv: ['sh', '-c', READ, 'sh', path, String(maxBytes)],
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: maxBytes,
    // A file of credentials, or a unit with a password in its environment.
    isPrivate: true,
  });
  if (isSuccess(result) && result.stdoutDropped === 0) return result.stdout;
  const { end } = result;
  const code = end.kind === 'exited' ? (CODES[end.code] ?? 'EIO') : 'EHOSTUNREACH';
  throw Object.assign(new Error(formatEnd(result)), { code });
}

const NAMES = [
  'REGISTRY_AUTH_FILE',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME',
  'DOCKER_CONFIG',
  'HOME',
] as const;
const ENVIRONMENT = `id -u; printf '%s\\n' ${NAMES.map((name) => `"\${${name}-}"`).join(' ')}`;

async function readEnvironment(run: RunCommand): Promise<Outcome<AuthEnvironment>> {
  const result = await run({
    argv: ['sh', '-c', ENVIRONMENT],
    timeoutMs: TIMEOUT_MS,
  });
  if (!isSuccess(result)) return fail('SSH_UNREACHABLE', formatEnd(result));
  const [uid, ...values] = result.stdout.split('\n');
  const named = NAMES.map((name, index) => [name, values[index] || undefined] as const);
  return succeed({ ...Object.fromEntries(named), uid: Number(uid) });
}
