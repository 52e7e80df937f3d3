import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import {
  type ImageReference,
  parseImageReference,
  sameRepository,
} from '../domain/image-reference.ts';
import { matchesDigest } from '../domain/matches-digest.ts';
import { type SeenContainer, seeUnitContainers } from '../host/podman.ts';
import { inspectImage, type LocalImage } from '../host/podman-images.ts';

/** What of a unit runs now. */
export type RunningImage = {
  /** The wanted digest where every container of that image runs it (its own, where no digest is wanted), else that of the first that does not. */
  readonly digest: string;
  /** The name under which the container was started. */
  readonly name: string;
  readonly imageId: string;
  readonly isWanted: boolean;
};

/** By its digest or its local id, whichever is known. */
export type WantedImage = {
  readonly digest: string | null;
  readonly imageId: string | null;
  /** An image that was looked at a moment ago, and need not be again: what its id means never changes. */
  readonly known?: LocalImage | undefined;
};

/**
 * Finds what the running containers of the unit run, among those whose image is of the wanted repository: a unit may
 * have helpers of other images. CONTAINER_NOT_RUNNING where there is none. `justSeen`: its containers, where they were
 * looked at this moment.
 */
export async function findRunning(
  run: RunCommand,
  unit: string,
  image: ImageReference,
  wanted: WantedImage,
  justSeen?: readonly SeenContainer[],
): Promise<Outcome<RunningImage>> {
  const seen = justSeen ? succeed(justSeen) : await seeUnitContainers(run, unit);
  if (!seen.ok) return seen;
  const running = seen.value.filter(({ running, imageName }) => {
    const reference = parseImageReference(imageName);
    return running && reference !== undefined && sameRepository(reference, image);
  });
  const [first] = running;
  if (!first)
    return fail('CONTAINER_NOT_RUNNING', `Unit ${unit} has ${seen.value.length} containers.`);
  for (const container of running) {
    const other = await findOther(run, container, image, wanted);
    if (!other.ok) return other;
    if (other.value !== null) {
      const { imageId, imageName } = container;
      return succeed({ digest: other.value, name: imageName, imageId, isWanted: false });
    }
  }
  const { imageId, imageName } = first;
  const known = wanted.digest === null ? await inspectImage(run, imageId) : undefined;
  if (known && !known.ok) return known;
  const digest = wanted.digest ?? known?.value?.digest ?? '';
  return succeed({ digest, name: imageName, imageId, isWanted: true });
}

/** The digest of what a container runs instead of what is wanted; null where it runs that. */
async function findOther(
  run: RunCommand,
  container: SeenContainer,
  image: ImageReference,
  { digest, imageId, known }: WantedImage,
): Promise<Outcome<string | null>> {
  if (container.imageId === imageId) return succeed(null);
  const isKnown = known?.id === container.imageId;
  const local = isKnown ? succeed(known) : await inspectImage(run, container.imageId);
  if (!local.ok) return local;
  const isWanted =
    digest !== null && local.value !== undefined && matchesDigest(local.value, image, digest);
  return succeed(isWanted ? null : (local.value?.digest ?? ''));
}
