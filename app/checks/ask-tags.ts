import { type Failure, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { TagAnswer } from '../db/registry-answers.ts';
import type { Store } from '../db/store.ts';
import { manifestsFor } from '../domain/image-index.ts';
import { type ImageReference, withTag } from '../domain/image-reference.ts';
import { needsIndex } from '../domain/update-verdict.ts';
import { type DigestLookup, INDEX_TYPES } from '../registry/look-up-digest.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import { askHosts, type HostQuestion } from './ask-hosts.ts';
import type { HostLimits } from './host-limits.ts';
import type { SeenUnit } from './see-units.ts';

/** What is asked with. */
export type AskParts = {
  readonly client: RegistryClient;
  readonly limits: HostLimits;
  readonly answers: Store['registryAnswers'];
  /** The platform of a local image by its id. */
  readonly readPlatform: (imageId: string) => Promise<Outcome<string>>;
  readonly signal: AbortSignal;
};

/** What was learnt, to be written at once when all is asked. */
export type Learnt = {
  /** By `registry/repository:tag`. */
  readonly tags: Map<string, TagAnswer>;
  readonly failures: Map<string, Failure>;
  readonly manifests: { indexDigest: string; platform: string; digests: readonly string[] }[];
  /** Of images, by their ids: those that had to be known. */
  readonly platforms: Map<string, string>;
};

/** Keeps what a tag means, whoever has asked; what was asked for by digest says nothing of a tag. */
export function noteLookUp(
  answers: Pick<Store['registryAnswers'], 'noteTag'>,
  image: ImageReference,
  found: DigestLookup,
): void {
  if (image.digest === undefined) answers.noteTag(withTag(image), toAnswer(found), Date.now());
}

function toAnswer({ digest, mediaType }: DigestLookup): TagAnswer {
  return { digest, isIndex: INDEX_TYPES.includes(mediaType) };
}

/**
 * The tags that a verdict on a unit needs: its own, and `latest`; its own alone where nothing of it runs, for what it is to run may
 * be new all the same. None where there is nothing to ask.
 */
export function tagsOf({ image, failure }: SeenUnit): readonly ImageReference[] {
  if (!image || (failure && failure.code !== 'CHECK_NOTHING_RUNS')) return [];
  const { registry, repository, tag } = image;
  const latest = { registry, repository, tag: 'latest' };
  if (tag === undefined || tag === 'latest') return [latest];
  return failure ? [image] : [image, latest];
}

/**
 * Asks what the tags of the units mean: each tag once, but those that were answered since `freshSince`; and then for those
 * indexes of which only the manifest for the platform tells whether something is new.
 */
export async function askTags(
  parts: AskParts,
  units: readonly SeenUnit[],
  freshSince: number,
): Promise<Learnt> {
  const learnt: Learnt = {
    ...{ tags: new Map(), failures: new Map(), manifests: [], platforms: new Map() },
  };
  const wanted = new Map(units.flatMap(tagsOf).map((image) => [withTag(image), image]));
  const questions = [...wanted].flatMap(([name, image]) =>
    (parts.answers.answeredAt(name) ?? 0) >= freshSince ? [] : [askTag(parts, learnt, name, image)],
  );
  await askHosts(questions, parts.limits, parts.signal);
  await askHosts(await askIndexes(parts, learnt, units), parts.limits, parts.signal);
  return learnt;
}

function askTag(
  { client }: AskParts,
  learnt: Learnt,
  name: string,
  image: ImageReference,
): HostQuestion {
  return {
    host: client.hostOf(image) ?? image.registry,
    ask: async () => {
      const found = await client.lookUp(image);
      if (found.ok) learnt.tags.set(name, toAnswer(found.value));
      return found;
    },
    onFailure: (failure) => learnt.failures.set(name, failure),
  };
}

async function askIndexes(
  { client, answers, readPlatform }: AskParts,
  learnt: Learnt,
  units: readonly SeenUnit[],
): Promise<readonly HostQuestion[]> {
  const meant = (name: string) => {
    if (learnt.failures.has(name)) return undefined;
    return learnt.tags.get(name) ?? answers.findTag(name);
  };
  const open = units.flatMap((seen) =>
    tagsOf(seen).flatMap((image) => {
      const { imageId, containers } = seen;
      const tag = meant(withTag(image));
      const isOpen = imageId !== null && tag && needsIndex(containers, tag);
      return isOpen ? [{ image, imageId, indexDigest: tag.digest }] : [];
    }),
  );
  const wanted: Index[] = [];
  for (const { image, imageId, indexDigest } of open) {
    const known = learnt.platforms.get(imageId);
    const read = known === undefined ? await readPlatform(imageId) : succeed(known);
    if (!read.ok) {
      learnt.failures.set(withTag(image), read.failure);
      continue;
    }
    const platform = read.value;
    learnt.platforms.set(imageId, platform);
    if (!answers.hasManifests(indexDigest, platform)) wanted.push({ image, indexDigest, platform });
  }
  // Units that run the same tag have the same question.
  const byName = new Map(
    wanted.map((index) => [`${withTag(index.image)} ${index.platform}`, index]),
  );
  return [...byName.values()].map((index) => ({
    host: client.hostOf(index.image) ?? index.image.registry,
    ask: () => readManifests(client, learnt, index),
    onFailure: (failure) => learnt.failures.set(withTag(index.image), failure),
  }));
}

type Index = {
  readonly image: ImageReference;
  readonly indexDigest: string;
  readonly platform: string;
};

async function readManifests(
  client: RegistryClient,
  learnt: Learnt,
  { image, indexDigest, platform }: Index,
): Promise<Outcome<unknown>> {
  const index = await client.readIndex(image, indexDigest);
  if (!index.ok) return index;
  const digests = manifestsFor(index.value, platform);
  if (digests.length > 0) learnt.manifests.push({ indexDigest, platform, digests });
  else {
    const detail = `${withTag(image)} means ${indexDigest}, which has none for ${platform}.`;
    learnt.failures.set(withTag(image), { code: 'REGISTRY_PLATFORM_MISSING', detail });
  }
  return index;
}
