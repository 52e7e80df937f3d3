import { type Failure, fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import {
  formatImageReference,
  type ImageReference,
  parseImageReference,
  parseQualifiedReference,
  sameRepository,
} from '../domain/image-reference.ts';
import { type ImageStore, listDigests } from '../host/image-store.ts';
import type { RunningContainer } from '../host/running-images.ts';

/** A unit that updates are looked for. */
export type UnitToCheck = {
  readonly unit: string;
  /** The image of its start command; undefined where that is not known, and the one that runs is taken. */
  readonly image: ImageReference | undefined;
};

/**
 * A known unit to look for updates of: by the image that systemd has for it (`loaded`), else by the one that its file names
 * in full, else by what runs.
 */
export function unitToCheck(
  { unit, image }: { readonly unit: string; readonly image: string | null },
  loaded?: ImageReference,
): UnitToCheck {
  const named = image === null ? undefined : parseQualifiedReference(image);
  return { unit, image: loaded ?? named };
}

/** What was seen of it. */
export type SeenUnit = {
  readonly unit: string;
  readonly image: ImageReference | undefined;
  /** Of each container that runs that image the digests by which the image is known. */
  readonly containers: readonly (readonly string[])[];
  /** The image of the first of them; null where nothing runs. */
  readonly imageId: string | null;
  /** Why there is nothing to be asked of a registry; null: there is. */
  readonly failure: Failure | null;
};

/** What each unit runs, of all that `runs`. PODMAN_FAILED, PODMAN_UNAVAILABLE. */
export async function seeUnits(
  images: ImageStore,
  units: readonly UnitToCheck[],
  runs: readonly RunningContainer[],
): Promise<Outcome<readonly SeenUnit[]>> {
  const byUnit = Map.groupBy(runs, ({ unit }) => unit);
  const found = units.map(({ unit, image }) => findContainers(unit, image, byUnit.get(unit) ?? []));
  const ids = new Set(found.flatMap(({ containers }) => containers.map(({ imageId }) => imageId)));
  const digests = await listDigests(images, [...ids]);
  if (!digests.ok) return digests;
  return succeed(
    found.map(({ unit, image, containers }): SeenUnit => {
      const known = containers.flatMap(({ imageId }) => {
        const all = digests.value.get(imageId);
        return all ? [all] : [];
      });
      return {
        unit,
        image,
        containers: known,
        imageId: containers[0]?.imageId ?? null,
        failure: findObstacle(image, known.length),
      };
    }),
  );
}

type Found = {
  readonly unit: string;
  readonly image: ImageReference | undefined;
  readonly containers: readonly RunningContainer[];
};

/** Of a unit with helpers of other images those that run its own, as a deployment compares them. */
function findContainers(
  unit: string,
  configured: ImageReference | undefined,
  running: readonly RunningContainer[],
): Found {
  const named = running.flatMap((container) => {
    const reference = parseImageReference(container.imageName);
    return reference ? [{ container, reference }] : [];
  });
  const image = configured ?? named[0]?.reference;
  const own = named.filter(({ reference }) => image && sameRepository(reference, image));
  return { unit, image, containers: own.map(({ container }) => container) };
}

function findObstacle(image: ImageReference | undefined, running: number): Failure | null {
  if (!image) return fail('UNIT_IMAGE_UNKNOWN', 'Nor does a container of it run.').failure;
  const named = `It runs ${formatImageReference(image)}.`;
  if (image.digest !== undefined) return fail('UNIT_IMAGE_PINNED', named).failure;
  if (image.registry === 'localhost') return fail('CHECK_IMAGE_LOCAL', named).failure;
  return running === 0 ? fail('CHECK_NOTHING_RUNS', '').failure : null;
}
