/** Fields of a JSON object. */
export type Json = Record<string, unknown>;

/** Two digests that registries could give. */
export const DIGEST = `sha256:${'0a'.repeat(32)}`;
export const OTHER_DIGEST = `sha256:${'1b'.repeat(32)}`;

/** The fields of a container package that are read, as GHCR fills them. */
export function container(overrides: Json = {}, version: Json = {}): Json {
  return {
    name: 'hello',
    namespace: 'octo-org',
    package_type: 'CONTAINER',
    owner: { login: 'octo-org' },
    package_version: {
      version: DIGEST,
      name: DIGEST,
      container_metadata: { tag: { name: 'latest', digest: DIGEST }, manifest: { digest: DIGEST } },
      package_url: 'ghcr.io/octo-org/hello:latest',
      ...version,
    },
    registry: { type: 'CONTAINER', url: 'https://CONTAINER.pkg.github.com/octo-org' },
    ...overrides,
  };
}

/** The body of a `package` event. */
export function published(node: Json, rest: Json = {}): Json {
  return { action: 'published', package: node, ...rest };
}

/** Changes to the version that leave no tag and no digest in the places of the schemas. */
export const BARE = {
  container_metadata: null,
  package_url: 'ghcr.io/octo-org/hello:',
  version: '',
  name: '',
};
