import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { OpenDeployment } from '../domain/deployment.ts';
import type { UnitSample } from '../domain/gate.ts';
import { withTag } from '../domain/image-reference.ts';
import type { HeldImage } from '../domain/rollback-tag.ts';
import type { Wanted } from '../domain/wanted.ts';
import { listKeptNames } from '../host/image-store.ts';
import { tagImage } from '../host/podman-images.ts';
import { readStanding, type UnitStanding } from '../host/read-unit-state.ts';
import type { DeployParts } from './deploy-unit.ts';
import type { Found } from './find-wanted.ts';
import type { Here } from './prepare-deployment.ts';
import { pause } from './until-stopped.ts';
import { holdFormerImage } from './way-back.ts';

/** Longer than podman gives a container to end. */
const SETTLE_MS = 15_000;
const EVERY_MS = 250;

/** How the unit stood, and what it ran, a moment ago; null: nobody has looked since others were waited for. */
type Seen = { readonly standing: UnitStanding | null; readonly runningId: string | null };

/** The unit may be touched. `held` as in `KnownOfUnit`; null where nobody has looked. */
export type Ready = {
  readonly deployment: OpenDeployment;
  readonly held: readonly HeldImage[] | null;
};

/**
 * The image is here: what the unit can go back to is held, and what depends on it is known. `stopped` where somebody has
 * stopped the unit: its tag has the image then.
 */
export async function makeReady(
  parts: DeployParts,
  wanted: Found,
  { imageId, isBrought, standing, runningId }: Here & Seen,
): Promise<Outcome<'stopped' | Ready>> {
  const { unit, restartUnit, image, digest } = wanted;
  const now = await settle(parts, wanted, standing);
  if (!now.ok) return now;
  parts.onPhase('holding-image');
  const { sample, dependents } = now.value;
  const { activeState } = sample;
  const isBad = (known: string) =>
    [digest, imageId].includes(known) || parts.memory.findBad(unit, known) !== undefined;
  const left = parts.memory.findAbandoned(unit);
  const way = left
    ? succeed({ former: formerOf(left), held: null })
    : await holdFormerImage(parts.run, unit, image, {
        isBad,
        isProven: (imageId) => parts.memory.isProven(unit, imageId),
        isTroubled: isTroubled(sample),
        known: wanted.current,
        readNames: () => readNames(wanted, imageId),
        runningId,
      });
  if (!way.ok) return way;
  const { former, held } = way.value;
  if (['inactive', 'deactivating'].includes(activeState)) {
    // Somebody stopped it: a push must not start a service in the middle of their work.
    const tagged = await tagImage(parts.run, imageId, withTag(image));
    return tagged.ok ? succeed('stopped') : tagged;
  }
  const deployment = {
    unit,
    image: withTag(image),
    wanted_digest: digest,
    wanted_image_id: imageId,
    restart_unit: restartUnit,
    write_image: wanted.writeImage,
    is_brought: isBrought ? 1 : 0,
    former_image_id: former?.imageId ?? null,
    former_digest: former?.digest ?? null,
    held_as: former?.heldAs ?? null,
    dependents: [...new Set([...dependents, ...(left?.dependents ?? [])])],
    stage: 'forward',
    cause_code: null,
    cause_detail: null,
  } as const;
  return succeed({ deployment, held });
}

/** The image that was just pulled, and the one that the tag means, stand in the list that podman goes by. */
async function readNames({ images, current }: Found, imageId: string) {
  if (!images) return undefined;
  return listKeptNames(images, [imageId, ...(current ? [current.id] : [])]);
}

/**
 * Whether a unit does not serve although nobody has stopped it. One that crashes again and again is `active` between two
 * crashes: what systemd has had to start again is taken for one of those.
 */
export function isTroubled({ activeState, restarts }: UnitSample): boolean {
  return activeState === 'active'
    ? restarts > 0
    : !['inactive', 'deactivating'].includes(activeState);
}

/** What ran before a deployment that nobody has brought to an end. */
function formerOf({ former_image_id: imageId, former_digest, held_as }: OpenDeployment) {
  if (imageId === null) return null;
  return { imageId, digest: former_digest ?? '', heldAs: held_as ?? '' };
}

/**
 * How a unit stands that does not just end: whether systemd starts it again (it failed) or not (somebody stopped it) is
 * known only then. `seen` is how it stood a moment ago; null: nobody has looked.
 */
async function settle(
  { run, stop }: DeployParts,
  { unit, restartUnit }: Wanted,
  seen: UnitStanding | null,
): Promise<Outcome<UnitStanding>> {
  const deadlineMs = performance.now() + SETTLE_MS;
  for (let last = seen; ; await pause(EVERY_MS, stop)) {
    const read = last ? succeed(last) : await readStanding(run, unit, restartUnit);
    last = null;
    if (!read.ok) return read;
    const { activeState } = read.value.sample;
    if (activeState !== 'deactivating' || performance.now() > deadlineMs) return read;
  }
}
