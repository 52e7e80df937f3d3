import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** More files than any host configures podman with: what bounds a look at a folder of somebody's making. */
const MAX_FILES = 1_000;
/** `containers/registries.conf.d/50-ours.conf` and its like lie one folder deep. */
const DEPTH = 2;

/** Variables by which podman is told of other files than the usual ones. */
const NAMED_FILES = [
  'CONTAINERS_CONF',
  'CONTAINERS_REGISTRIES_CONF',
  'CONTAINERS_STORAGE_CONF',
] as const;

/** Variables of the host that podman and systemctl heed, passed on to it where they are set. */
export const HOST_VARIABLES = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'TZ',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'DBUS_SESSION_BUS_ADDRESS',
  'REGISTRY_AUTH_FILE',
  'DOCKER_CONFIG',
  ...NAMED_FILES,
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
] as const;

/**
 * A short text that is another one once podman on this host is another program, is told of other files, or has been
 * configured anew; by the names, times and sizes of the files, not by what they say. Undefined where that cannot be told:
 * no podman in the PATH, or more than a thousand files.
 */
export function describePodmanSetup(environment: NodeJS.ProcessEnv): string | undefined {
  const program = findProgram(environment['PATH'] ?? '');
  if (program === undefined) return undefined;
  const home = environment['XDG_CONFIG_HOME'] ?? join(environment['HOME'] ?? '/', '.config');
  const folders = ['/usr/share/containers', '/etc/containers', join(home, 'containers')];
  const named = NAMED_FILES.flatMap((name) => environment[name] ?? []);
  const files = [program, ...named.map(describeFile), ...folders.flatMap((path) => list(path))];
  if (files.length > MAX_FILES) return undefined;
  const places = HOST_VARIABLES.map((name) => environment[name] ?? null);
  return createHash('sha256')
    .update(JSON.stringify([places, files]))
    .digest('hex')
    .slice(0, 32);
}

function findProgram(path: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    const described = describeFile(join(folder, 'podman'));
    if (!described.endsWith(MISSING)) return described;
  }
  return undefined;
}

const MISSING = ' -';

/** By following links: what a link leads to is what is read. */
function describeFile(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stats) return `${path}${MISSING}`;
  return [path, stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ');
}

function list(folder: string, depth = DEPTH): string[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder)
      .slice(0, MAX_FILES + 1)
      .sort();
  } catch {
    // Not there, or no folder: it says nothing to podman either.
    return [describeFile(folder)];
  }
  return names.flatMap((name) => {
    const path = join(folder, name);
    const isFolder = depth > 1 && statSync(path, { throwIfNoEntry: false })?.isDirectory();
    return isFolder ? list(path, depth - 1) : describeFile(path);
  });
}
