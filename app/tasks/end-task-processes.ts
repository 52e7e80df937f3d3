import { readdirSync, readFileSync } from 'node:fs';

/** podman's pause process holds the user namespace of all its containers and only happens to carry our variable. */
const SPARED = new Set(['catatonit', 'podman pause']);

/**
 * Kills every process that carries `variable=value` in its environment. A process is known by what it was started
 * with and not by its number, which may have been given to another since.
 */
export function endTaskProcesses(variable: string, value: string): void {
  const wanted = `${variable}=${value}`;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      if (!environment.split('\0').includes(wanted) || SPARED.has(name)) continue;
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
}
