import { type ImageReference, parseImageReference, sameRepository } from './image-reference.ts';

/** What the last deployment of a unit has left it with. */
export type LastDeployment = {
  /** The name under which the unit runs its image. */
  readonly image: string;
  /** It was proven; else it went back, where it has a cause. */
  readonly isProven: boolean;
  readonly hasGoneBack: boolean;
  readonly wantedImageId: string | null;
  readonly formerImageId: string | null;
};

/** A container that runs for the unit. */
export type RunningImage = { readonly imageName: string; readonly imageId: string };

/** `unknown`: nothing was deployed that could be compared. */
export type Reconciled = 'as-deployed' | 'differs' | 'not-running' | 'unknown';

/** The local id of what a deployment has left the unit with; null where that is not known. */
export function expectedImage(last: LastDeployment): string | null {
  if (last.isProven) return last.wantedImageId;
  return last.hasGoneBack ? last.formerImageId : null;
}

/** Compares what runs with that; of a unit with helpers of other images those that run its own. */
export function reconcile(last: LastDeployment, running: readonly RunningImage[]): Reconciled {
  const expected = expectedImage(last);
  const image = parseImageReference(last.image);
  if (expected === null || !image) return 'unknown';
  const own = running.filter(({ imageName }) => isOf(image, imageName));
  if (own.length === 0) return 'not-running';
  return own.every(({ imageId }) => imageId === expected) ? 'as-deployed' : 'differs';
}

function isOf(image: ImageReference, name: string): boolean {
  const reference = parseImageReference(name);
  return reference !== undefined && sameRepository(reference, image);
}
