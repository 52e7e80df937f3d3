import type { FinalStatus, TaskStatus } from './task.ts';
import { isFinal } from './task.ts';

/** What is to be known of a unit that has something newer. */
export type UpdateSituation = {
  /** What its tag means now. */
  readonly wantedDigest: string;
  /** That image has failed for it, and is held back. */
  readonly isQuarantined: boolean;
  /** The newest task of the unit, whoever has made it. */
  readonly newest: { readonly status: TaskStatus } | undefined;
  /** The last deployment that the schedule has made of it. */
  readonly last:
    | {
        readonly status: TaskStatus;
        readonly registryDigest: string | null;
        readonly endedAtMs: number | null;
      }
    | undefined;
};

/** What the schedule does about it; `held`: what came to nothing is not tried again yet. */
export type AutoUpdateDecision = 'deploy' | 'open' | 'quarantined' | 'held';

/** A deployment that came to nothing on purpose (its policy only observes, the unit is stopped) is looked at again after that. */
const SKIPPED_FOR_MS = 86_400_000;
const ON_PURPOSE: readonly FinalStatus[] = ['skipped', 'cancelled'];

/** Decides whether a unit that has something newer is deployed by the schedule now. */
export function decideAutoUpdate(unit: UpdateSituation, nowMs: number): AutoUpdateDecision {
  const { newest, last, wantedDigest, isQuarantined } = unit;
  if (newest && !isFinal(newest.status)) return 'open';
  if (isQuarantined) return 'quarantined';
  if (!last || last.registryDigest !== wantedDigest) return 'deploy';
  const wasOnPurpose = ON_PURPOSE.some((status) => status === last.status);
  const isRecent = nowMs - (last.endedAtMs ?? 0) < SKIPPED_FOR_MS;
  return wasOnPurpose && isRecent ? 'held' : 'deploy';
}
