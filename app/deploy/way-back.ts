import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import {
  type ImageReference,
  parseImageReference,
  sameRepository,
  withTag,
} from '../domain/image-reference.ts';
import {
  findHeld,
  findSurplus,
  type HeldImage,
  heldPattern,
  rollbackName,
} from '../domain/rollback-tag.ts';
import type { listKeptNames } from '../host/image-store.ts';
import { seeUnitContainers } from '../host/podman.ts';
import {
  dropImageName,
  hasImage,
  inspectImage,
  type LocalImage,
  listImageNames,
  tagImage,
} from '../host/podman-images.ts';

/** The image that a unit can go back to. */
export type FormerImage = {
  readonly imageId: string;
  readonly digest: string;
  /** The name that keeps it from every prune. */
  readonly heldAs: string;
};

type NamedImages = NonNullable<Awaited<ReturnType<typeof listKeptNames>>>;

/** What is known of the images of a unit that could be its way back. */
export type FormerJudge = {
  /** By its digest or its local id: it failed. */
  readonly isBad: (image: string) => boolean;
  /** By its local id: the unit was proven to serve with it. */
  readonly isProven: (imageId: string) => boolean;
  /** The unit does not serve as it is: what it runs, and was never held, may be why. */
  readonly isTroubled: boolean;
  /** See `WantedImage`. */
  readonly known: LocalImage | undefined;
  /** All local images with their names, read where podman keeps them; undefined, and absent: podman is asked. */
  readonly readNames?: () => Promise<NamedImages | undefined>;
  /** The local id of what was seen running a moment ago; null: it is looked here. */
  readonly runningId: string | null;
};

/** The image that a unit can go back to, and whether the name that is to hold it is still to be given. */
export type ChosenFormer = FormerImage & {
  readonly isNew: boolean;
  /** Names of ours that the image has already. */
  readonly olderNames: readonly string[];
  /** Everything that is held for the unit, newest first. */
  readonly held: readonly HeldImage[];
};

/** What a unit can go back to, held, and all that is held for it then, newest first; null where nobody has looked. */
export type HeldFormer = {
  readonly former: FormerImage | null;
  readonly held: readonly HeldImage[] | null;
};

/**
 * Finds what the unit runs, or would run where it is down; where that failed here before, or is not known to have served,
 * the newest image that is held and did not fail. Null where there is none: then there is nothing to go back to. Changes nothing.
 */
export async function chooseFormer(
  run: RunCommand,
  unit: string,
  image: ImageReference,
  judge: FormerJudge,
): Promise<Outcome<ChosenFormer | null>> {
  const found = await findFormer(run, unit, image, judge);
  if (!found.ok) return found;
  if (!found.value) return succeed(null);
  const { id: imageId, digest, repoDigests } = found.value;
  const kept = await judge.readNames?.();
  const listed = kept ? succeed(kept) : await listImageNames(run, heldPattern(unit));
  if (!listed.ok) return listed;
  const held = findHeld(unit, listed.value);
  const [newest] = held;
  // A quarantine names the digest of an index or of a platform's manifest.
  const names = repoDigests.map((name) => name.slice(name.indexOf('@') + 1));
  const isKnown = judge.isProven(imageId) || held.some((other) => other.imageId === imageId);
  const isDoubtful = judge.isTroubled && !isKnown;
  const better =
    isDoubtful || [imageId, digest, ...names].some(judge.isBad)
      ? held.find((other) => other.imageId !== imageId && !judge.isBad(other.imageId))
      : undefined;
  if (better) {
    const local = await inspectImage(run, better.name);
    if (!local.ok) return local;
    const known = local.value?.digest ?? '';
    const { imageId: betterId, name: heldAs } = better;
    const chosen = { imageId: betterId, digest: known, heldAs };
    return succeed({ ...chosen, isNew: false, olderNames: [], held });
  }
  if (newest?.imageId === imageId) {
    const chosen = { imageId, digest, heldAs: newest.name };
    return succeed({ ...chosen, isNew: false, olderNames: [], held });
  }
  const heldAs = rollbackName(unit, (newest?.number ?? 0) + 1);
  const older = held.filter((other) => other.imageId === imageId);
  const olderNames = older.map(({ name }) => name);
  return succeed({ imageId, digest, heldAs, isNew: true, olderNames, held });
}

/**
 * Gives what the unit can go back to a name of its own, before anything is changed; see `chooseFormer`. Fails with
 * HOLD_FAILED.
 */
export async function holdFormerImage(
  run: RunCommand,
  unit: string,
  image: ImageReference,
  judge: FormerJudge,
): Promise<Outcome<HeldFormer>> {
  const chosen = await chooseFormer(run, unit, image, judge);
  if (!chosen.ok) return chosen;
  const former = chosen.value;
  if (!former) return succeed({ former, held: null });
  const { imageId, heldAs, olderNames, held } = former;
  if (!former.isNew) {
    const { readNames, ...asking } = judge;
    // A name that only stands in a file is made sure of: nothing else holds the image.
    const isHeld = readNames ? await hasImage(run, heldAs) : succeed(true);
    if (!isHeld.ok) return isHeld;
    return isHeld.value ? succeed({ former, held }) : holdFormerImage(run, unit, image, asking);
  }
  const tagged = await tagImage(run, imageId, heldAs);
  if (!tagged.ok) return fail('HOLD_FAILED', tagged.failure.detail);
  // Held once is enough: an older name of it would use up a place of another.
  for (const name of olderNames) await dropImageName(run, name);
  return succeed({ former, held: heldWith(unit, heldAs, former) });
}

/** What is held once the new name is given and the older ones of its image are gone. */
function heldWith(
  unit: string,
  name: string,
  { imageId, olderNames, held }: ChosenFormer,
): readonly HeldImage[] {
  const others = held.filter((other) => !olderNames.includes(other.name));
  const names = others.map((other) => ({ id: other.imageId, names: [other.name] }));
  return findHeld(unit, [{ id: imageId, names: [name] }, ...names]);
}

/** What runs, or what the tag means where nothing runs. */
async function findFormer(
  run: RunCommand,
  unit: string,
  image: ImageReference,
  { known, runningId }: FormerJudge,
): Promise<Outcome<LocalImage | undefined>> {
  const running = runningId === null ? await findRunningId(run, unit, image) : succeed(runningId);
  if (!running.ok) return running;
  const id = running.value;
  if (id === null) return inspectImage(run, withTag(image));
  if (id === known?.id) return succeed(known);
  const local = await inspectImage(run, id);
  if (!local.ok || local.value) return local;
  return succeed({ id, digest: '', repoDigests: [], sizeBytes: 0 });
}

async function findRunningId(
  run: RunCommand,
  unit: string,
  image: ImageReference,
): Promise<Outcome<string | null>> {
  const seen = await seeUnitContainers(run, unit);
  if (!seen.ok) return seen;
  const running = seen.value.find(({ running, imageName }) => {
    const reference = parseImageReference(imageName);
    return running && reference !== undefined && sameRepository(reference, image);
  });
  return succeed(running?.imageId ?? null);
}

/**
 * Lets go of the images of a unit that are held beyond the newest `keep`. What cannot be removed stays. `known` is what is
 * held, newest first; null: it is looked here.
 */
export async function dropSurplus(
  run: RunCommand,
  unit: string,
  keep: number,
  known: readonly HeldImage[] | null,
): Promise<void> {
  const held = known ?? (await listHeld(run, unit));
  for (const { name } of findSurplus(held, keep)) await dropImageName(run, name);
}

/** Nothing where podman does not say. */
async function listHeld(run: RunCommand, unit: string): Promise<readonly HeldImage[]> {
  const listed = await listImageNames(run, heldPattern(unit));
  return listed.ok ? findHeld(unit, listed.value) : [];
}
