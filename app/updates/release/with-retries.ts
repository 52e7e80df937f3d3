import { setTimeout as wait } from 'node:timers/promises';
import type { Outcome } from '../../../shared/contract/outcome.ts';

/** How often something is tried, and how long is waited before the second try; twice as long before the third. */
export type Retries = { readonly tries: number; readonly waitMs: number };

export const RETRIES: Retries = { tries: 3, waitMs: 1_000 };

/** Tries again where a source could not be reached; with jitter, so that many hosts do not come back at once. */
export async function withRetries<T>(
  act: () => Promise<Outcome<T>>,
  { tries, waitMs }: Retries,
  signal: AbortSignal,
): Promise<Outcome<T>> {
  for (let tried = 1; ; tried++) {
    const outcome = await act();
    const isTransient = !outcome.ok && outcome.failure.code === 'RELEASE_SOURCE_UNREACHABLE';
    if (!isTransient || tried >= tries) return outcome;
    const ms = waitMs * 2 ** (tried - 1) * (0.5 + Math.random());
    // Told by the next try.
    await wait(ms, undefined, { signal }).catch(() => undefined);
  }
}
