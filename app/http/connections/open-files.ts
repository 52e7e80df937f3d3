import { readFileSync } from 'node:fs';

/** How many files this process may have open at once (RLIMIT_NOFILE, the soft one); undefined where nobody knows. */
export function readOpenFileLimit(): number | undefined {
  try {
    const found = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
}
