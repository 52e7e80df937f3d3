import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type HeldLock, lockFile, lockFileWithin } from '../../shared/fs/lock-file.ts';
import type { LockUnits } from '../deploy/deploy-unit.ts';
import { anyOf } from '../deploy/until-stopped.ts';

/** Names that share a file wait for each other without need, and nothing else comes of it. */
const FILES = 256;

/**
 * The numbers of the files that are locked for names, each once, ascending: who takes several takes them in this order, so
 * that no two wait for each other.
 */
export function chooseLocks(names: readonly string[]): readonly number[] {
  const numbers = names.map((name) => {
    return createHash('sha256').update(name).digest().readUInt16BE(0) % FILES;
  });
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/**
 * Has one task at a time restart what hangs together, among all processes that use the folder; at most `waitMs` long is
 * it waited for each. The kernel gives the locks of a process that has died to the next. `ending` cuts every wait short.
 */
export function createUnitLocks(folder: string, waitMs: number, ending: AbortSignal): LockUnits {
  return async (names, stop) => {
    const held: HeldLock[] = [];
    const release = () => {
      for (const lock of held.splice(0)) lock.release();
    };
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch {
      return { isHeld: false, hasWaited: false, release };
    }
    let hasWaited = false;
    for (const number of chooseLocks(names)) {
      const path = join(folder, `${number}.lock`);
      const free = lockFile(path, 'frequent');
      hasWaited ||= !free.ok;
      const lock = free.ok ? free : await lockFileWithin(path, waitMs, anyOf(ending, stop));
      if (!lock.ok) {
        release();
        return { isHeld: false, hasWaited, release };
      }
      held.push(lock.value);
    }
    return { isHeld: true, hasWaited, release };
  };
}
