import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { RunCommand } from '../../shared/process/run-command.ts';
import {
  type ImageReference,
  parseImageReference,
  sameRepository,
} from '../domain/image-reference.ts';
import { matchesDigest } from '../domain/matches-digest.ts';
import { inspectImage, listUnitContainers, type UnitContainer } from '../host/podman.ts';

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
export type WantedImage = { readonly digest: string | null; readonly imageId: string | null };

/**
 * Finds what the running containers of the unit run, among those whose image is of the wanted repository: a unit may
 * have helpers of other images. CONTAINER_NOT_RUNNING where there is none.
 */
export async function findRunning(
  run: RunCommand,
  unit: string,
  image: ImageReference,
  wanted: WantedImage,
): Promise<Outcome<RunningImage>> {
  const listed = await listUnitContainers(run, unit);
  if (!listed.ok) return listed;
  const running = listed.value.filter(({ running, imageName }) => {
    const reference = parseImageReference(imageName);
    return running && reference !== undefined && sameRepository(reference, image);
  });
  const [first] = running;
  if (!first)
    return fail('CONTAINER_NOT_RUNNING', `Unit ${unit} has ${listed.value.length} containers.`);
  for (const container of running) {
    const matched = await runsDigest(run, container, image, wanted);
    if (!matched.ok) return matched;
    if (!matched.value) {
      const { imageDigest, imageId, imageName } = container;
      return succeed({ digest: imageDigest, name: imageName, imageId, isWanted: false });
    }
  }
  const { imageId, imageName, imageDigest } = first;
  return succeed({
    digest: wanted.digest ?? imageDigest,
    name: imageName,
    imageId,
    isWanted: true,
  });
}

async function runsDigest(
  run: RunCommand,
  container: UnitContainer,
  image: ImageReference,
  { digest, imageId }: WantedImage,
): Promise<Outcome<boolean>> {
  if (container.imageDigest === digest || container.imageId === imageId) return succeed(true);
  if (digest === null) return succeed(false);
  const local = await inspectImage(run, container.imageId);
  if (!local.ok) return local;
  return succeed(local.value !== undefined && matchesDigest(local.value, image, digest));
}
