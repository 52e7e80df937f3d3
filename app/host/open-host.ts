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
import { createManagerService } from './manager-service.ts';
import { readPodmanInfo } from './podman-info.ts';
import { createPodmanService } from './podman-service.ts';
import { readFolders } from './read-folders.ts';
import { openRemoteHost } from './ssh/remote-host.ts';
import { openSshHost } from './ssh/ssh-host.ts';

/** How podman of this host is asked. */
export type LocalHost = {
  /** What it is and has; absent: it is asked each time. */
  readonly readInfo?: Host['readInfo'];
  /**
   * Who is asked over a socket for what can be asked there, in place of a process for each question: the service manager
   * (`createManagerService`), and with `all` podman too, of which a service is started then and shared with others
   * (`createPodmanService`).
   */
  readonly sockets?: 'none' | 'manager' | 'all';
};

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
 * `local` is how this host is asked.
 */
export function openHost(
  settings: HostSettings,
  environment: NodeJS.ProcessEnv,
  local: LocalHost = {},
): Outcome<Host> {
  const { systemdScope, sshTarget, sshConfigFile, sshConnectTimeoutMs } = settings;
  if (sshTarget === undefined) {
    return succeed(openLocalHost(systemdScope, environment, local));
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
  { readInfo = readPodmanInfo, sockets = 'none' }: LocalHost = {},
): Host {
  const run = inScope(runCommand, scope);
  const folder = scope === 'system' ? '/run' : environment['XDG_RUNTIME_DIR'];
  const service =
    sockets === 'all' && folder !== undefined
      ? createPodmanService({ run, folder, environment })
      : undefined;
  const manager =
    sockets !== 'none' && folder !== undefined ? createManagerService(folder) : undefined;
  return {
    run: async (command) => {
      const { request, manager: question } = command;
      const answered =
        (request && (await service?.answer(command, request))) ??
        (question && (await manager?.answer(command, question)));
      return answered ?? run(command);
    },
    isSystem: scope === 'system',
    readText,
    readFolders: (request) => readFolders(request, readText),
    ask: askLocal,
    readInfo,
    readEnvironment: () => Promise.resolve(succeed({ ...environment, uid: getuid?.() ?? 0 })),
    forward: null,
    close: async () => {
      manager?.close();
      await service?.close();
    },
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
