/** A repository at a registry: `ghcr.io` and `octo-org/hello`. Host in lower case, port kept. */
export type ImageRepository = { readonly registry: string; readonly repository: string };

/** A repository and which of its images is meant; neither tag nor digest means the tag `latest`. */
export type ImageReference = ImageRepository & {
  readonly tag?: string;
  readonly digest?: string;
};

const MAX_REFERENCE_LENGTH = 512;
const MAX_REPOSITORY_LENGTH = 255;
const DEFAULT_TAG = 'latest';
const DOCKER_HUB = 'docker.io';

// The grammar of github.com/distribution/reference, anchored. Nothing longer than 512 characters is tried on it, so
// backtracking stays cheap.
const HOST =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[a-f0-9:]+\])(?::\d+)?$/;
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const IMAGE_ID = /^[0-9a-f]{64}$/;

/**
 * Reads `host[:port]/path[:tag][@sha256:…]` as podman and docker do: a first component that cannot be a host means
 * Docker Hub, and a one-component name there lies below `library/`. At most 512 characters. Undefined for anything
 * else, image ids, white space and a leading `-` included, so that a result can never be read as an option.
 */
export function parseImageReference(raw: string): ImageReference | undefined {
  if (raw.length > MAX_REFERENCE_LENGTH || IMAGE_ID.test(raw)) return undefined;
  const [named = '', digest, ...more] = raw.split('@');
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) return undefined;
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const name = colon === -1 ? named : named.slice(0, colon);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !isTag(tag)) return undefined;
  const image = parseRepository(name);
  if (!image) return undefined;
  return { ...image, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/**
 * The same for a name that says its registry itself. Undefined for a short one: what podman makes of `nginx`, or Quadlet of
 * `web.image`, does not follow from the name.
 */
export function parseQualifiedReference(raw: string): ImageReference | undefined {
  const image = parseImageReference(raw);
  return image && formatImageReference(image) === raw ? image : undefined;
}

function parseRepository(name: string): ImageRepository | undefined {
  const slash = name.indexOf('/');
  const host = name.slice(0, Math.max(slash, 0)).toLowerCase();
  const named = host === 'localhost' || /[.:]/.test(host);
  const registry = !named || host === 'index.docker.io' ? DOCKER_HUB : host;
  const path = named ? name.slice(slash + 1) : name;
  const repository = registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path;
  if (repository.length > MAX_REPOSITORY_LENGTH || !REPOSITORY.test(repository)) return undefined;
  return isHost(registry) ? { registry, repository } : undefined;
}

/** The grammar lets ports above 65535 and malformed IPv6 addresses through, which no client could connect to. */
function isHost(host: string): boolean {
  return HOST.test(host) && URL.canParse(`https://${host}`);
}

/** The reference as podman takes it; what `parseImageReference` reads back unchanged. */
export function formatImageReference(image: ImageReference): string {
  const tag = image.tag === undefined ? '' : `:${image.tag}`;
  const digest = image.digest === undefined ? '' : `@${image.digest}`;
  return `${repositoryOf(image)}${tag}${digest}`;
}

/** `registry/repository`, without tag and digest. */
export function repositoryOf(image: ImageRepository): string {
  return `${image.registry}/${image.repository}`;
}

/** `registry/repository@digest`: the one reference that can never mean another image. */
export function withDigest(image: ImageRepository, digest: string): string {
  return `${repositoryOf(image)}@${digest}`;
}

/** `registry/repository:tag`, the digest left out. */
export function withTag(image: ImageReference): string {
  return `${repositoryOf(image)}:${tagOf(image)}`;
}

/** The tag that the reference means: its own, else `latest`. */
export function tagOf(image: ImageReference): string {
  return image.tag ?? DEFAULT_TAG;
}

/** Whether both lie in the same repository of the same registry, whatever their tags and digests. */
export function sameRepository(a: ImageRepository, b: ImageRepository): boolean {
  return a.registry === b.registry && a.repository === b.repository;
}

/** Whether the text is a sha256 digest as registries and podman write it: lower-case hex, 64 digits. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** Whether the text is a tag that a registry can have (at most 128 characters); a digest is none. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}
