import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';

const ROUND_MS = 20;
const QUIET_ROUNDS = 2;

/** podman's pause process holds the user namespace of all its containers and only happens to carry our variable. */
const SPARED = new Set(['catatonit', 'podman pause']);

/**
 * Kills every process that carries `variable=value` in its environment. A process is known by what it was started
 * with and not by its number, which may have been given to another since. The numbers of those that were there.
 */
export function endTaskProcesses(variable: string, value: string): number[] {
  const found: number[] = [];
  const wanted = `${variable}=${value}`;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      if (!environment.split('\0').includes(wanted) || SPARED.has(name)) continue;
      found.push(pid);
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return found;
}

/**
 * The same until none is left, for who is killed may just have started another. Fails with TASK_NOT_KILLED where some are
 * still there after `withinMs`.
 */
export async function endAllTaskProcesses(
  variable: string,
  value: string,
  withinMs: number,
): Promise<Outcome<void>> {
  const deadline = performance.now() + withinMs;
  // One that is just becoming another program shows no environment for a moment.
  for (let quietRounds = 0; ; ) {
    const found = endTaskProcesses(variable, value);
    quietRounds = found.length === 0 ? quietRounds + 1 : 0;
    if (quietRounds === QUIET_ROUNDS) return succeed(undefined);
    if (performance.now() > deadline) {
      return fail('TASK_NOT_KILLED', `Still there: ${found.slice(0, 20).join(', ')}.`);
    }
    await wait(ROUND_MS);
  }
}
