import type { ImageReference } from './image-reference.ts';
import type { UnitPolicy } from './unit-policy.ts';

/** What a unit is to run, and by which policy. */
export type Wanted = {
  readonly unit: string;
  /** What is restarted for it: the unit, or that of its pod. */
  readonly restartUnit: string;
  /** The name with a tag under which the unit runs its image. */
  readonly image: ImageReference;
  readonly digest: string;
  /** The image is on this host already, under this name, and no registry knows it; null: it is pulled by its digest. */
  readonly heldHere: string | null;
  /** A tag that a person chose, as the image that the file of the unit is to name; null: the file is left alone. */
  readonly writeImage: string | null;
  readonly policy: UnitPolicy;
};
