import type { BadImage, OpenDeployment } from '../domain/deployment.ts';

/** Where deployments and bad images are remembered; each call is durable when it returns. */
export type DeployMemory = {
  find(): OpenDeployment | undefined;
  /** What an earlier task has left open of the unit: nobody knows what runs, but what ran before it is held. */
  findAbandoned(unit: string): OpenDeployment | undefined;
  /** Whether another deployment that is not over needs this local image. */
  isNeeded(imageId: string): boolean;
  /** What others have left open of the unit is taken over with it. */
  save(deployment: OpenDeployment): void;
  /** The unit is proven on one of the two images, or given up: written together with the end of the task. */
  end(deployment: OpenDeployment): void;
  /**
   * Goes back from now on, and does not take the image again for `forMs`, or, with null, until a person releases it:
   * both or neither.
   */
  condemn(deployment: OpenDeployment, bad: BadImage, forMs: number | null): void;
  /** By its digest or its local id. */
  findBad(unit: string, image: string): Pick<BadImage, 'unit' | 'code' | 'detail'> | undefined;
  /** Whether a deployment of the unit with this image, by its local id, has succeeded. */
  isProven(unit: string, imageId: string): boolean;
  /** When the image was seen first for the unit, by the wall clock; now, where it never was. */
  firstSeen(unit: string, digest: string): number;
};
