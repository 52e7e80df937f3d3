import type { Store } from '../db/store.ts';
import { type HostLimit, noteAnswer, parseQuota, UNLIMITED } from '../domain/registry-quota.ts';
import { parseRetryAfter } from '../registry/parse-retry-after.ts';
import type { RegistryResponse } from '../registry/registry-session.ts';

/** What the hosts of registries have said of their limits, those of earlier checks included. */
export type HostLimits = {
  /** Until when a host is to be left alone, in milliseconds since the epoch; in the past where it may be asked. */
  pausedUntil(host: string): number;
  /** Takes in the head of an answer. */
  note(host: string, answer: Pick<RegistryResponse, 'status' | 'header'>): void;
  /** Writes what was learnt. */
  save(): void;
};

/** Reads what is known of a host when it is first asked for. */
export function openHostLimits(
  answers: Pick<Store['registryAnswers'], 'limitOf' | 'noteLimit'>,
): HostLimits {
  const known = new Map<string, HostLimit>();
  const changed = new Set<string>();
  const limitOf = (host: string): HostLimit => {
    const limit = known.get(host) ?? answers.limitOf(host) ?? UNLIMITED;
    known.set(host, limit);
    return limit;
  };
  return {
    pausedUntil: (host) => limitOf(host).pausedUntil,
    note(host, { status, header }) {
      const now = Date.now();
      const retryAfterMs = parseRetryAfter(header('retry-after') ?? '', now);
      const answer = { status, retryAfterMs, quota: parseQuota(header) };
      const before = limitOf(host);
      const limit = noteAnswer(before, answer, now);
      known.set(host, limit);
      // Most have none, and there is nothing to be written of them.
      if (answer.quota || limit.refusals !== before.refusals) changed.add(host);
    },
    save() {
      for (const host of changed) answers.noteLimit(host, limitOf(host), Date.now());
    },
  };
}
