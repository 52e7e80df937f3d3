import { readdirSync, readFileSync } from 'node:fs';

/** Process ids of all that live and have this word in their command line; zombies have none. */
export function findProcesses(word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && commandLine(pid).includes(word));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It ended while we looked.
    return '';
  }
}

/** Whether a process has said that it will not end on SIGTERM (proc_pid_status(5)). */
export function ignoresTerm(pid: number): boolean {
  try {
    const mask = /^SigIgn:\t([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return (BigInt(`0x${mask ?? '0'}`) & (1n << 14n)) !== 0n;
  } catch {
    return false;
  }
}

/** Whether a process is over; what is left of it may still wait for its parent to ask. */
export function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[ZX] /.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}
