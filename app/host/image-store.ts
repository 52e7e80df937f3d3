import * as z from 'zod';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { formatPlatform } from '../domain/image-index.ts';
import {
  type ImageReference,
  parseImageReference,
  sameRepository,
  withDigest,
  withTag,
} from '../domain/image-reference.ts';
import type { Host } from './host.ts';
import type { LocalImage } from './podman-images.ts';
import { describeImages } from './running-images.ts';

/** Whose images: `graphRoot` is where podman says that it keeps them. */
export type ImageStore = {
  readonly host: Pick<Host, 'run' | 'readText'>;
  readonly graphRoot: string;
};

/** Of some thousands of images. */
const MAX_LIST_BYTES = 33_554_432;
const MAX_CONFIG_BYTES = 4_194_304;
/** The driver that podman has had by default since its version 3; of others podman itself is asked. */
const FOLDER = 'overlay-images';
const LAYERS = 'overlay-layers';
/** `manifest-sha256:…`: one for each digest under which an image was pulled or made (containers/storage, containers/image). */
const MANIFEST = /^manifest-(sha256:[0-9a-f]{64})$/;

const CONFIG = z.object({ os: z.string(), architecture: z.string() });

/**
 * The digests of local images by their ids; those of its manifest, and of the indexes through which it was pulled. Read
 * from the list that podman keeps, for podman looks at all images to describe one, and is asked only for what is not in it.
 */
export async function listDigests(
  store: ImageStore,
  ids: readonly string[],
): Promise<Outcome<ReadonlyMap<string, readonly string[]>>> {
  const kept = new Map((await readImages(store)).map((image) => [image.id, image.digests]));
  const known = new Map<string, readonly string[]>();
  for (const id of ids) {
    const digests = kept.get(id) ?? [];
    if (digests.length > 0) known.set(id, digests);
  }
  const others = ids.filter((id) => !known.has(id));
  if (others.length === 0) return succeed(known);
  const described = await describeImages(store.host.run, others);
  if (!described.ok) return described;
  for (const [id, { digests }] of described.value) known.set(id, digests);
  return succeed(known);
}

/** Whether podman, with that driver, keeps its images in files that are read here. */
export function keepsList(driver: string): boolean {
  return driver === 'overlay';
}

/** A local image as podman keeps it. */
type KeptImage = {
  readonly id: string;
  readonly names: readonly string[];
  readonly digests: readonly string[];
  /** Its uppermost layer. */
  readonly layer: string;
};

/** As containers/storage writes it; whatever else stands there is not looked at. */
type RawImage = {
  readonly id: string;
  readonly names?: readonly string[] | null;
  readonly digest?: string;
  readonly layer?: string;
  readonly 'big-data-names'?: readonly string[] | null;
};

/** Empty where podman is to be asked. The list is replaced as a whole whenever an image comes, goes or changes its names. */
async function readImages({ host, graphRoot }: ImageStore): Promise<readonly KeptImage[]> {
  const text = await readKept(host, `${graphRoot}/${FOLDER}/images.json`, MAX_LIST_BYTES);
  const list = parseJson(text);
  if (!Array.isArray(list) || !list.every(isRawImage)) return [];
  return list.map(({ id, names, digest, layer, 'big-data-names': data }) => {
    const manifests = (data ?? []).flatMap((name) => MANIFEST.exec(name)?.[1] ?? []);
    const digests = [...new Set([...(digest ? [digest] : []), ...manifests])];
    return { id, names: names ?? [], digests, layer: layer ?? '' };
  });
}

function isRawImage(value: unknown): value is RawImage {
  const {
    id,
    names,
    digest,
    layer,
    'big-data-names': data,
  } = Object(value) as Record<string, unknown>;
  const areTexts = (list: unknown) =>
    list === undefined || list === null || (Array.isArray(list) && list.every(isText));
  const mayBeText = (text: unknown) => text === undefined || isText(text);
  return isText(id) && areTexts(names) && areTexts(data) && mayBeText(digest) && mayBeText(layer);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/**
 * All local images with all their names. Undefined where podman is to be asked: the list cannot be read, or lacks one of the
 * `present` images, of which the caller knows that they are here, and so is not the one that podman goes by.
 */
export async function listKeptNames(
  store: ImageStore,
  present: readonly string[],
): Promise<readonly { readonly id: string; readonly names: readonly string[] }[] | undefined> {
  const images = await readImages(store);
  const ids = new Set(images.map(({ id }) => id));
  return images.length > 0 && present.every((id) => ids.has(id)) ? images : undefined;
}

/** A local image by one of its names, as `inspectImage` describes it; undefined where podman is to be asked. */
export async function findKeptImage(
  store: ImageStore,
  image: ImageReference,
): Promise<LocalImage | undefined> {
  const name = withTag(image);
  const found = (await readImages(store)).find(({ names }) => names.includes(name));
  const [digest] = found?.digests ?? [];
  if (!found || digest === undefined) return undefined;
  const sizeBytes = await measureLayers(store, found.layer);
  if (sizeBytes === undefined) return undefined;
  const repoDigests = found.digests.map((one) => withDigest(image, one));
  return { id: found.id, digest, repoDigests, sizeBytes };
}

/** The id of a local image that has the digest, and a name of that repository; null: there is none, undefined: podman is asked. */
export async function findKeptId(
  store: ImageStore,
  image: ImageReference,
  digest: string,
): Promise<string | null | undefined> {
  const kept = await readImages(store);
  if (kept.length === 0) return undefined;
  const found = kept.find(({ digests, names }) => {
    if (!digests.includes(digest)) return false;
    return names.some((name) => {
      const reference = parseImageReference(name);
      return reference !== undefined && sameRepository(reference, image);
    });
  });
  return found?.id ?? null;
}

/** How much a layer and all below it take, unpacked. */
async function measureLayers(
  { host, graphRoot }: ImageStore,
  uppermost: string,
): Promise<number | undefined> {
  const text = await readKept(host, `${graphRoot}/${LAYERS}/layers.json`, MAX_LIST_BYTES);
  const list = parseJson(text);
  if (!Array.isArray(list)) return undefined;
  const layers = new Map(list.map((layer) => [Object(layer).id as unknown, Object(layer)]));
  let bytes = 0;
  for (let id: unknown = uppermost; id !== undefined && id !== ''; ) {
    const layer = layers.get(id) as { parent?: unknown; 'diff-size'?: unknown } | undefined;
    const size = layer?.['diff-size'] ?? (layer && 0);
    if (typeof size !== 'number' || size < 0) return undefined;
    bytes += size;
    // Each is counted once, whatever the file says.
    layers.delete(id);
    id = layer?.parent;
  }
  return bytes;
}

/** The platform of a local image, as `formatPlatform` writes it. */
export async function readPlatform(store: ImageStore, id: string): Promise<Outcome<string>> {
  // The id of an image is the digest of its configuration, and that is its name there.
  const name = Buffer.from(`sha256:${id}`).toString('base64');
  const path = `${store.graphRoot}/${FOLDER}/${id}/=${name}`;
  const config = CONFIG.safeParse(parseJson(await readKept(store.host, path, MAX_CONFIG_BYTES)));
  if (config.success) return succeed(formatPlatform(config.data.os, config.data.architecture));
  const described = await describeImages(store.host.run, [id]);
  if (!described.ok) return described;
  const image = described.value.get(id);
  return image ? succeed(image.platform) : fail('PODMAN_FAILED', `The image ${id} is gone.`);
}

/** Empty where it cannot be read: podman is asked then. */
async function readKept(
  { readText }: ImageStore['host'],
  path: string,
  maxBytes: number,
): Promise<string> {
  return readText(path, maxBytes).catch(() => '');
}
