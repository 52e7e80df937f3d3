import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';

/** Whom the host is looked at for, and where it lies. */
export type HostUser = {
  readonly uid: number;
  readonly name: string;
  /** `/`. */
  readonly root: string;
};

/** RUNTIME_DIR_MISSING where the user manager of this user cannot be found. */
export function checkRuntimeDirectory(environment: NodeJS.ProcessEnv): Outcome<void> {
  const path = environment['XDG_RUNTIME_DIR'];
  if (!path) return fail('RUNTIME_DIR_MISSING', 'It is not set.');
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder ? succeed(undefined) : fail('RUNTIME_DIR_MISSING', `${path} is no directory.`);
}

/** SUBORDINATE_IDS_MISSING where rootless podman of this user has no ids to give, as subuid(5) and subgid(5) say. */
export function checkSubordinateIds({ uid, name, root }: HostUser): Outcome<void> {
  for (const file of ['etc/subuid', 'etc/subgid']) {
    const lines = readText(join(root, file)).split('\n');
    const isThere = lines.some((line) => line.startsWith(`${name}:`) || line.startsWith(`${uid}:`));
    if (!isThere) return fail('SUBORDINATE_IDS_MISSING', `/${file} has no line for ${name}.`);
  }
  return succeed(undefined);
}

/** CGROUPS_OUTDATED where the hierarchy is not the unified one (cgroups(7)). */
export function checkCgroups({ root }: Pick<HostUser, 'root'>): Outcome<void> {
  return existsSync(join(root, 'sys/fs/cgroup/cgroup.controllers'))
    ? succeed(undefined)
    : fail('CGROUPS_OUTDATED', '/sys/fs/cgroup/cgroup.controllers is not there.');
}

/** INIT_MISSING where process 1 is a supervisor of this program. */
export function checkInit({ root }: Pick<HostUser, 'root'>): Outcome<void> {
  const words = readText(join(root, 'proc/1/cmdline')).split('\0');
  const isOurs = (word: string | undefined) => /pod-upgrade-trigger[\w.]*$/.test(word ?? '');
  // An interpreter has its script behind its options; an init has the program there too, but is none.
  const isScript = /(?:^|\/)node[\w.-]*$/.test(words[0] ?? '') && words.some(isOurs);
  return (isOurs(words[0]) || isScript) && words.includes('supervise')
    ? fail('INIT_MISSING', `Process 1 is ${words.slice(0, 3).join(' ').trim()}.`)
    : succeed(undefined);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
