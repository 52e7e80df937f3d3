import { readFileSync } from 'node:fs';

/** The field of /proc/PID/stat that says when a process began, counted behind the name: the 22nd of all. */
const START_FIELD = 19;

/** Names a process so that no other one is taken for it, not even one that has its number later; undefined: it is gone. */
function findMark(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name may hold anything, a bracket too.
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD];
    return `${pid}.${start}.${boot}`;
  } catch {
    return undefined;
  }
}

/** The mark of this process. */
export function processMark(): string {
  return findMark(process.pid) ?? `${process.pid}..`;
}

/** Whether the process that has this mark is still there. */
export function isAlive(mark: string): boolean {
  return findMark(Number(mark.split('.', 1)[0])) === mark;
}
