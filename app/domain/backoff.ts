/**
 * The pause after the try with this number (from 1), in milliseconds: doubling, and half as long to one and a half times
 * as long by `random` (0 to 1), so that those who failed together do not come back together.
 */
export function backoffMs(firstMs: number, tries: number, random: number): number {
  return firstMs * 2 ** (tries - 1) * (0.5 + random);
}
