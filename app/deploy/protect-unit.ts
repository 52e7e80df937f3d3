import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { OpenDeployment } from '../domain/deployment.ts';
import { withTag } from '../domain/image-reference.ts';
import { readStanding } from '../host/read-unit-state.ts';
import type { DeployMemory } from './deploy-memory.ts';
import { findWanted, type WantedParts } from './find-wanted.ts';
import { isTroubled } from './make-ready.ts';
import { atOnce, refuse } from './prepare-deployment.ts';
import { holdFormerImage } from './way-back.ts';

/** What it works with. */
export type ProtectParts = Pick<
  WantedParts,
  'run' | 'readInfo' | 'readText' | 'lookUp' | 'readPolicy' | 'isSystem'
> & { readonly memory: Pick<DeployMemory, 'findBad' | 'firstSeen' | 'isProven'> };

/** What is known of a unit before somebody else updates it. */
export type Protected = {
  readonly deployment: OpenDeployment;
  /** Why it is not to be updated: what would come is in quarantine for it; null: it may be. */
  readonly refusal: string | null;
};

/**
 * Before somebody else (podman's own auto-update) brings a unit to what its tag means: finds what that is, holds what the
 * unit can go back to under a name of its own, and notes what depends on it. The deployment that comes of it is as if the
 * unit had been touched: whoever carries it on proves what runs then, or brings it back.
 */
export async function protectUnit(parts: ProtectParts, unit: string): Promise<Outcome<Protected>> {
  const { run, memory } = parts;
  const silent = { ...parts, onPhase: () => undefined, onEvidence: () => undefined };
  const found = await findWanted(silent, { unit });
  if (!found.ok) return found;
  const { image, restartUnit, digest, current: known } = found.value;
  const standing = await readStanding(run, unit, restartUnit);
  if (!standing.ok) return standing;
  const { sample, dependents } = standing.value;
  const isBad = (one: string) => one === digest || memory.findBad(unit, one) !== undefined;
  const isProven = (imageId: string) => memory.isProven(unit, imageId);
  const judge = { isBad, isProven, isTroubled: isTroubled(sample), known, runningId: null };
  const way = await holdFormerImage(run, unit, image, judge);
  if (!way.ok) return way;
  const { former } = way.value;
  const refusal = refuse(memory, atOnce(found.value), digest);
  return succeed({
    refusal: refusal?.summary ?? null,
    deployment: {
      unit,
      image: withTag(image),
      wanted_digest: digest,
      // Not here yet.
      wanted_image_id: null,
      restart_unit: restartUnit,
      write_image: null,
      is_brought: 0,
      former_image_id: former?.imageId ?? null,
      former_digest: former?.digest ?? null,
      held_as: former?.heldAs ?? null,
      dependents,
      stage: 'forward',
      cause_code: null,
      cause_detail: null,
    },
  });
}
