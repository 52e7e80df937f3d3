/** One manifest of an index; its platform as `linux/arm64`, without the variant. */
export type ManifestInIndex = { readonly digest: string; readonly platform: string };

/** How a platform is written here. */
export function formatPlatform(os: string, architecture: string): string {
  return `${os}/${architecture}`;
}

/**
 * The manifests of an index that an image of the platform can be: of 32-bit ARM there may be one for each variant, and which
 * of them podman has chosen is told by the image itself. Attestations are for `unknown/unknown`, and so none of them.
 */
export function manifestsFor(
  manifests: readonly ManifestInIndex[],
  platform: string,
): readonly string[] {
  return manifests.flatMap((manifest) => (manifest.platform === platform ? [manifest.digest] : []));
}
