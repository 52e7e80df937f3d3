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

/** What a tag means: a digest and, where that is the one of an index, the manifests in it for one platform. */
export type TagMeaning = {
  readonly digest: string;
  readonly platformDigests: readonly string[];
};

/**
 * Whether an image that is known by `digests` is what a tag means. An index that changed for other platforms alone means
 * the same image as before, as podman sees it, too.
 */
export function isMeant(digests: readonly string[], meaning: TagMeaning): boolean {
  return [meaning.digest, ...meaning.platformDigests].some((digest) => digests.includes(digest));
}
