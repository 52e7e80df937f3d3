import { setTimeout as wait } from 'node:timers/promises';

/**
 * Waits until `probe` gives something other than undefined or false, and gives that. For what no event tells, such as
 * what a container serves; fails after `withinMs` with `what`.
 */
export async function until<T>(
  what: string,
  withinMs: number,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await wait(10);
  }
}
