import { constants, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { runCommand } from '../../shared/process/run-command.ts';
import { askLocal } from './ask-local.ts';
import type { Host } from './host.ts';
import { inScope, type SystemdScope } from './in-scope.ts';
import { readPodmanInfo } from './podman-info.ts';
import { openRemoteHost } from './ssh/remote-host.ts';
import { openSshHost } from './ssh/ssh-host.ts';

/** Which host, and whose units there. */
export type HostSettings = {
  readonly systemdScope: SystemdScope;
  /** Where to log in; absent: this host. */
  readonly sshTarget?: string | undefined;
  /** In place of the user's own ssh_config(5). */
  readonly sshConfigFile?: string | undefined;
  readonly sshConnectTimeoutMs: number;
};

/**
 * Opens the host whose units are deployed. Another one is logged in to by its first command; where that cannot be, every
 * command is refused, and none is ever run here in its place. Fails with SSH_UNREACHABLE where the target is no name.
 * `readInfo` asks podman of this host for what it is, where processes share that.
 */
export function openHost(
  settings: HostSettings,
  environment: NodeJS.ProcessEnv,
  readInfo: Host['readInfo'] = readPodmanInfo,
): Outcome<Host> {
  const { systemdScope, sshTarget, sshConfigFile, sshConnectTimeoutMs } = settings;
  if (sshTarget === undefined) {
    return succeed(openLocalHost(systemdScope, environment, readInfo));
  }
  const controlDir = makeControlDir(environment['XDG_RUNTIME_DIR'] ?? tmpdir());
  const opened = openSshHost({
    target: sshTarget,
    controlDir,
    connectTimeoutMs: sshConnectTimeoutMs,
    ...(sshConfigFile !== undefined && { options: ['-F', sshConfigFile] }),
  });
  const forget = () => rmSync(controlDir, { recursive: true, force: true });
  if (!opened.ok) {
    forget();
    return opened;
  }
  return succeed(openRemoteHost(opened.value, systemdScope, { folder: controlDir, forget }));
}

/**
 * A folder of this process alone, and short: a socket has a path of a hundred characters at most. Those of processes that
 * were killed are removed.
 */
export function makeControlDir(parent: string): string {
  for (const name of readdirSync(parent)) {
    const [, pid] = /^podup-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Another user's, in a folder of all.
    }
  }
  return mkdtempSync(join(parent, `podup-${process.pid}-`));
}

/** This host; see `openHost`. */
export function openLocalHost(
  scope: SystemdScope,
  environment: NodeJS.ProcessEnv,
  readInfo: Host['readInfo'] = readPodmanInfo,
): Host {
  return {
    run: inScope(runCommand, scope),
    isSystem: scope === 'system',
    readText,
    ask: askLocal,
    readInfo,
    readEnvironment: () => Promise.resolve(succeed({ ...environment, uid: getuid?.() ?? 0 })),
    forward: null,
    close: () => Promise.resolve(),
  };
}

async function readText(path: string, maxBytes: number): Promise<string> {
  try {
    // A pipe without a writer would hold up the reader for ever.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return '';
    if (stats.size > maxBytes) {
      throw Object.assign(new Error('too large'), { code: 'EFBIG' });
    }
    return await file.readFile('utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Below what is no folder there is nothing either.
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw error;
  }
}
