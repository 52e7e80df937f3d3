import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { listeningAddress } from './local-address.ts';

/** Where a process that a supervisor started has the socket, and the words that tell what it is. */
export type OrphanTraits = {
  readonly fd: number;
  /** One of these is among its words. */
  readonly subcommands: readonly string[];
  /** The word of a supervisor: whoever has such a parent is no orphan. */
  readonly supervisorWord: string;
  /** Whether it was started with the state directory of this supervisor. */
  readonly isOurs: (environment: NodeJS.ProcessEnv) => boolean;
};

/**
 * Kills the processes that a supervisor which was killed has left behind and that still hold the listening socket on
 * `port`. They end by themselves when it is gone, unless they hang; then nobody could serve ever again. Only for who
 * holds the lock of the state directory: then nobody else can have started them for it.
 * @returns their process ids.
 */
export function endOrphans(port: number, traits: OrphanTraits): readonly number[] {
  const ended: number[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (!isOrphan(pid, port, traits)) continue;
      process.kill(pid, 'SIGKILL');
      ended.push(pid);
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return ended;
}

function isOrphan(pid: number, port: number, traits: OrphanTraits): boolean {
  const words = readWords(`/proc/${pid}/cmdline`);
  if (!traits.subcommands.some((word) => words.includes(word))) return false;
  const link = readlinkSync(`/proc/${pid}/fd/${traits.fd}`);
  if (listeningAddress(link)?.port !== port) return false;
  if (readWords(`/proc/${parentOf(pid)}/cmdline`).includes(traits.supervisorWord)) return false;
  return traits.isOurs(readEnvironment(pid));
}

function readWords(path: string): string[] {
  return readFileSync(path, 'utf8').split('\0');
}

/** The name of the program, in parentheses before, may hold anything (proc_pid_stat(5)). */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function readEnvironment(pid: number): NodeJS.ProcessEnv {
  return Object.fromEntries(
    readWords(`/proc/${pid}/environ`)
      .filter((entry) => entry.includes('='))
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}
