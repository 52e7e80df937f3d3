import {
  formatImageReference,
  type ImageRepository,
  isDigest,
  isTag,
  parseImageReference,
} from './image-reference.ts';

/** Why a delivery means nothing to any unit. */
export type UnreadableReason =
  | 'event-not-handled'
  | 'action-not-handled'
  | 'package-type-not-container'
  | 'untagged-child'
  | 'image-unreadable';

/** What a delivery of GitHub says. It is a hint: what runs is decided by asking the registry. */
export type GithubReading =
  | { readonly kind: 'ping' }
  | { readonly kind: 'ignored'; readonly reason: UnreadableReason; readonly detail: string }
  | {
      readonly kind: 'push';
      readonly action: string;
      readonly image: ImageRepository;
      /** At least one, at most 100, each a valid tag, none twice; often only one of those that were pushed. */
      readonly tags: readonly string[];
      /** Of the manifest that was pushed, where the payload names a valid one. */
      readonly digest?: string;
    };

const ACTIONS: ReadonlySet<string> = new Set(['published', 'updated']);
const CONTAINER_TYPES: ReadonlySet<string> = new Set(['container', 'docker']);
const DEFAULT_REGISTRY = 'ghcr.io';
/** What GitHub writes as the registry of every container package; nothing can be pulled from there. */
const PLACEHOLDER_REGISTRY = 'container.pkg.github.com';
const SCHEME = /^[a-z]+:\/\//i;
const MAX_TAGS = 100;
const MAX_QUOTED_LENGTH = 80;

/**
 * Reads the JSON body of a delivery with a good signature. Total: any value gives a reading, nothing is thrown, and
 * only named own fields are looked at, so that depth, size and keys such as `__proto__` have no effect.
 *
 * Shapes: `package` and `registry_package` of the schemas of octokit/webhooks, with `package_version` inside the
 * package or beside it.
 */
export function parseGithubPayload(event: string, payload: unknown): GithubReading {
  if (event === 'ping') return { kind: 'ping' };
  if (event !== 'package' && event !== 'registry_package')
    return ignore('event-not-handled', `The event is ${quote(event)}.`);
  const node = field(payload, event);
  const action = text(field(payload, 'action'));
  if (!ACTIONS.has(action)) return ignore('action-not-handled', `The action is ${quote(action)}.`);
  if (node === undefined) return ignore('image-unreadable', `The body has no ${event}.`);
  const type = text(field(node, 'package_type'));
  if (!CONTAINER_TYPES.has(type.toLowerCase()))
    return ignore('package-type-not-container', `The package type is ${quote(type)}.`);
  const version = field(node, 'package_version') ?? field(payload, 'package_version');
  const url = parsePackageUrl(text(field(version, 'package_url')));
  const image = url?.image ?? findImage(payload, node);
  if (!image)
    return ignore('image-unreadable', `The package is ${quote(text(field(node, 'name')))}.`);
  const tags = findTags(version, [
    url?.tag,
    type.toLowerCase() === 'docker' && field(version, 'version'),
  ]);
  const digest = findDigest(version);
  const hint = digest === undefined ? {} : { digest };
  if (tags.length === 0)
    return ignore('untagged-child', `It is ${formatImageReference({ ...image, ...hint })}.`);
  return { kind: 'push', action, image, tags, ...hint };
}

function ignore(reason: UnreadableReason, detail: string): GithubReading {
  return { kind: 'ignored', reason, detail };
}

/** Foreign text for a detail: short, on one line, its ends visible. */
function quote(foreign: string): string {
  return JSON.stringify(foreign.slice(0, MAX_QUOTED_LENGTH));
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key] ?? undefined;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce(field, value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MAX_TAGS) : [];
}

/** Reads `ghcr.io/Owner/name:tag`; GitHub leaves a bare `:` where there is no tag, and the owner in its own case. */
function parsePackageUrl(url: string): { image: ImageRepository; tag: string } | undefined {
  const bare = url.replace(SCHEME, '');
  const last = bare.lastIndexOf('/') + 1;
  const length = bare.slice(last).search(/[:@]/);
  const end = length === -1 ? bare.length : last + length;
  const image = parseQualified(bare.slice(0, end));
  return image && { image, tag: bare.slice(end + 1) };
}

/** Only names that say their registry: Docker Hub is no default here. */
function parseQualified(name: string): ImageRepository | undefined {
  const lowered = name.toLowerCase();
  const image = parseImageReference(lowered);
  if (!image || image.tag !== undefined || !lowered.startsWith(`${image.registry}/`))
    return undefined;
  return image;
}

function findImage(payload: unknown, node: unknown): ImageRepository | undefined {
  const name = text(field(node, 'name'));
  const owner = [
    at(node, 'owner', 'login'),
    field(node, 'namespace'),
    at(payload, 'repository', 'owner', 'login'),
  ]
    .map(text)
    .find((login) => login !== '');
  if (owner === undefined) return undefined;
  return parseQualified(`${findRegistry(payload, node)}/${owner}/${name}`);
}

function findRegistry(payload: unknown, node: unknown): string {
  const hosts = [
    at(node, 'registry', 'url'),
    at(payload, 'registry', 'url'),
    at(payload, 'registry', 'host'),
  ].map((url) => text(url).replace(SCHEME, '').replace(/\/.*/s, '').toLowerCase());
  return hosts.find((host) => host !== '' && host !== PLACEHOLDER_REGISTRY) ?? DEFAULT_REGISTRY;
}

/** Every tag that any known shape names, the schemas' own place first. */
function findTags(version: unknown, others: readonly unknown[]): readonly string[] {
  const candidates = [
    at(version, 'container_metadata', 'tag', 'name'),
    ...list(at(version, 'container_metadata', 'tags')),
    ...list(at(version, 'metadata', 'container', 'tags')),
    at(version, 'metadata', 'container', 'tag_name'),
    ...list(field(version, 'docker_metadata')).flatMap((image) => list(field(image, 'tags'))),
    ...others,
  ];
  const tags = new Set<string>();
  for (const candidate of candidates) {
    const tag = text(field(candidate, 'name') ?? candidate);
    if (isTag(tag)) tags.add(tag);
    if (tags.size === MAX_TAGS) break;
  }
  return [...tags];
}

function findDigest(version: unknown): string | undefined {
  return [
    at(version, 'container_metadata', 'tag', 'digest'),
    at(version, 'container_metadata', 'manifest', 'digest'),
    field(version, 'version'),
    field(version, 'name'),
  ]
    .map(text)
    .find(isDigest);
}
