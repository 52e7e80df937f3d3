import { setTimeout as wait } from 'node:timers/promises';
import type { Outcome } from '../../shared/contract/outcome.ts';

/** podman needs up to a second to make a container after a unit of Type=simple or exec has "started". */
const LIMIT_MS = 10_000;
const EVERY_MS = 250;

/**
 * Asks until a container runs. Units of Type=notify (Quadlet, `podman generate systemd`) have one when the restart job
 * ends, so the first question settles it; for the others systemd has no event that says so.
 */
export async function waitUntilRunning<T>(find: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const found = await find();
    const isMissing = !found.ok && found.failure.code === 'CONTAINER_NOT_RUNNING';
    if (!isMissing || performance.now() > deadline) return found;
    await wait(EVERY_MS);
  }
}
