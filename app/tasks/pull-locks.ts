import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile, lockFileWithin } from '../../shared/fs/lock-file.ts';
import type { LockPull } from '../deploy/pull-image.ts';
import { anyOf } from '../deploy/until-stopped.ts';

/**
 * The file that is locked for an image. There are 256 of them for all images, and they are never removed: two images that
 * share one wait for each other without need, and nothing else comes of it.
 */
export function pullLockFile(folder: string, name: string): string {
  return join(folder, `${createHash('sha256').update(name).digest('hex').slice(0, 2)}.lock`);
}

/**
 * Has one task at a time pull an image, among all processes that use the folder. The kernel gives the lock of a process
 * that has died to the next. `ending` cuts every wait short.
 */
export function createPullLocks(folder: string, ending: AbortSignal): LockPull {
  return async (name, waitMs, stop) => {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    } catch {
      return undefined;
    }
    const path = pullLockFile(folder, name);
    const free = lockFile(path, 'frequent');
    if (free.ok) return { hasWaited: false, release: () => free.value.release() };
    const won = await lockFileWithin(path, waitMs, anyOf(ending, stop));
    return won.ok ? { hasWaited: true, release: () => won.value.release() } : undefined;
  };
}
