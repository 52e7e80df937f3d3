import { type ImageReference, withDigest } from './image-reference.ts';

/**
 * Whether a local image is the one that a digest names: the one rule for digests of an index and of a platform's
 * manifest, used wherever digests are compared. podman knows an image that was pulled through an index by both.
 */
export function matchesDigest(
  local: { readonly digest: string; readonly repoDigests: readonly string[] },
  image: ImageReference,
  digest: string,
): boolean {
  return local.digest === digest || local.repoDigests.includes(withDigest(image, digest));
}
