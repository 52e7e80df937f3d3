import {
  formatImageReference,
  type ImageRepository,
  isDigest,
  isTag,
  parseImageReference,
  repositoryOf,
} from '../image-reference.ts';
import { quote, text } from './json-fields.ts';
import type { ImageReading, Push } from './source.ts';
import type { UnreadableReason } from './unreadable-reasons.ts';

/** A reading that leads to nothing. */
export type Ignored = Extract<ImageReading, { kind: 'ignored' }>;

const MAX_PUSHES = 100;
const MAX_TAGS = 100;
const SCHEME = /^[a-z]+:\/\//i;
/** Signatures and attestations of cosign, and where a registry without referrers keeps the list of them. */
const ATTACHED = /^sha(?:256|512)-[0-9a-f]{32,128}(?:\.[a-z]+)?$/;
/** Of the reasons of several parts of one delivery that is told which lies nearest to a push. */
const BY_NEARNESS: readonly UnreadableReason[] = [
  'registry-not-set',
  'image-unreadable',
  'untagged-child',
  'attached-artifact',
  'media-type-not-image',
];

/** A reading that leads to nothing, with its reason. */
export function ignore(reason: UnreadableReason, detail: string): Ignored {
  return { kind: 'ignored', reason, detail };
}

/**
 * The repository that a name with its registry means, as registries write it: in lower case, for owners come in their own.
 * Undefined for a name without registry (Docker Hub is no default here), and for one with tag or digest.
 */
export function parseQualified(name: string): ImageRepository | undefined {
  const lowered = name.toLowerCase();
  const image = parseImageReference(lowered);
  if (!image || image.tag !== undefined || image.digest !== undefined) return undefined;
  if (!lowered.startsWith(`${image.registry}/`)) return undefined;
  return { registry: image.registry, repository: image.repository };
}

/** Whether images can be named below it: `host[:port]`, or that with a path. */
export function isRegistryPrefix(prefix: string): boolean {
  const image = parseQualified(`${prefix}/a/b`);
  return image !== undefined && `${repositoryOf(image)}` === `${prefix}/a/b`;
}

/** The name without the scheme of a URL, and what stands behind it with its separator: a tag, a digest, or a bare colon. */
export function splitImageUrl(url: string): { readonly name: string; readonly rest: string } {
  const bare = url.replace(SCHEME, '');
  const last = bare.lastIndexOf('/') + 1;
  const length = bare.slice(last).search(/[:@]/);
  const end = length === -1 ? bare.length : last + length;
  return { name: bare.slice(0, end), rest: bare.slice(end) };
}

/** `host[:port]` of a URL or of an image with its registry; empty where there is none. */
export function hostOf(url: string): string {
  return url.replace(SCHEME, '').replace(/\/.*/s, '').toLowerCase();
}

/** What candidates for tags and a digest come to: a push, or why it is none. Anything but a text is no candidate. */
export function toPush(
  image: ImageRepository,
  candidates: Iterable<unknown>,
  rawDigest?: unknown,
): Push | Ignored {
  const tags = new Set<string>();
  let attached: string | undefined;
  for (const candidate of candidates) {
    const tag = text(candidate);
    if (ATTACHED.test(tag)) attached = tag;
    else if (isTag(tag)) tags.add(tag);
    if (tags.size === MAX_TAGS) break;
  }
  const digest = text(rawDigest);
  const hint = isDigest(digest) ? { digest } : {};
  if (tags.size > 0) return { image, tags: [...tags], ...hint };
  if (attached !== undefined) return ignore('attached-artifact', `The tag is ${quote(attached)}.`);
  return ignore('untagged-child', `It is ${formatImageReference({ ...image, ...hint })}.`);
}

/** The reading of a delivery that says several things: its pushes, else why the one nearest to a push is none. */
export function gather(
  action: string,
  parts: Iterable<Push | Ignored>,
  otherwise: Ignored,
): ImageReading {
  const pushes = new Map<string, Gathered>();
  let ignored: Ignored | undefined;
  for (const part of parts) {
    if ('kind' in part) ignored = nearer(ignored, part);
    else addPush(pushes, part);
  }
  if (pushes.size === 0) return ignored ?? otherwise;
  const joined = [...pushes.values()].map(({ push, tags }) => ({ ...push, tags: [...tags] }));
  return { kind: 'push', action, pushes: joined };
}

type Gathered = { readonly push: Push; readonly tags: Set<string> };

function nearer(a: Ignored | undefined, b: Ignored): Ignored {
  return a === undefined || rank(b) < rank(a) ? b : a;
}

function rank({ reason }: Ignored): number {
  const index = BY_NEARNESS.indexOf(reason);
  return index === -1 ? BY_NEARNESS.length : index;
}

function addPush(pushes: Map<string, Gathered>, push: Push): void {
  const key = `${repositoryOf(push.image)}@${push.digest ?? ''}`;
  const earlier = pushes.get(key);
  if (!earlier) {
    if (pushes.size < MAX_PUSHES) pushes.set(key, { push, tags: new Set(push.tags) });
    return;
  }
  for (const tag of push.tags) if (earlier.tags.size < MAX_TAGS) earlier.tags.add(tag);
}
