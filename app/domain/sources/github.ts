import type { ImageRepository } from '../image-reference.ts';
import { isDigest } from '../image-reference.ts';
import { at, field, list, quote, shorten, text } from './json-fields.ts';
import { gather, hostOf, ignore, parseQualified, splitImageUrl, toPush } from './pushed-images.ts';
import type { HeaderLookup, ImageReading, Source } from './source.ts';

const ACTIONS: ReadonlySet<string> = new Set(['published', 'updated']);
const CONTAINER_TYPES: ReadonlySet<string> = new Set(['container', 'docker']);
const DEFAULT_REGISTRY = 'ghcr.io';
/** What GitHub writes as the registry of every container package; nothing can be pulled from there. */
const PLACEHOLDER_REGISTRY = 'container.pkg.github.com';

/**
 * GitHub: `package` of repositories and organisations, `registry_package` of apps. An image of several platforms is an event
 * for each of them, without a tag, and one for the whole.
 */
export const GITHUB: Source = {
  kind: 'github',
  title: 'GitHub',
  schemes: ['hmac-sha256'],
  signatureHeaders: [{ name: 'x-hub-signature-256', scheme: 'hmac-sha256', prefix: 'sha256=' }],
  isSigned: true,
  registry: 'unused',
  form: 'body',
  readDeliveryId: (headers) => shorten(headers('x-github-delivery') ?? '') || undefined,
  readEvent,
  read: (headers, payload) => parseGithubPayload(readEvent(headers), payload),
};

function readEvent(headers: HeaderLookup): string {
  return shorten(headers('x-github-event') ?? '');
}

/**
 * Reads the JSON body of a delivery with a good signature. Total: any value gives a reading, nothing is thrown, and
 * only named own fields are looked at, so that depth, size and keys such as `__proto__` have no effect.
 *
 * Shapes: `package` and `registry_package` of the schemas of octokit/webhooks, with `package_version` inside the
 * package or beside it.
 */
export function parseGithubPayload(event: string, payload: unknown): ImageReading {
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
  const url = splitImageUrl(text(field(version, 'package_url')));
  const named = parseQualified(url.name);
  const image = named ?? findImage(payload, node);
  const unreadable = ignore(
    'image-unreadable',
    `The package is ${quote(text(field(node, 'name')))}.`,
  );
  if (!image) return unreadable;
  const tags = findTags(version, [
    named && url.rest.slice(1),
    type.toLowerCase() === 'docker' && field(version, 'version'),
  ]);
  return gather(action, [toPush(image, tags, findDigest(version))], unreadable);
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
  ].map((url) => hostOf(text(url)));
  return hosts.find((host) => host !== '' && host !== PLACEHOLDER_REGISTRY) ?? DEFAULT_REGISTRY;
}

/** Whatever any known shape names as a tag, the schemas' own place first. */
function findTags(version: unknown, others: readonly unknown[]): readonly unknown[] {
  const candidates = [
    at(version, 'container_metadata', 'tag', 'name'),
    ...list(at(version, 'container_metadata', 'tags')),
    ...list(at(version, 'metadata', 'container', 'tags')),
    at(version, 'metadata', 'container', 'tag_name'),
    ...list(field(version, 'docker_metadata')).flatMap((image) => list(field(image, 'tags'))),
    ...others,
  ];
  return candidates.map((candidate) => field(candidate, 'name') ?? candidate);
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
