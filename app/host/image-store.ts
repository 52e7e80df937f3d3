import * as z from 'zod';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { formatPlatform } from '../domain/image-index.ts';
import type { Host } from './host.ts';
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
/** `manifest-sha256:…`: one for each digest under which an image was pulled or made (containers/storage, containers/image). */
const MANIFEST = /^manifest-(sha256:[0-9a-f]{64})$/;

const LIST = z.array(
  z.object({
    id: z.string(),
    digest: z.string().optional(),
    'big-data-names': z.array(z.string()).nullish(),
  }),
);
const CONFIG = z.object({ os: z.string(), architecture: z.string() });

/**
 * The digests of local images by their ids; those of its manifest, and of the indexes through which it was pulled. Read
 * from the list that podman keeps, for podman looks at all images to describe one, and is asked only for what is not in it.
 */
export async function listDigests(
  store: ImageStore,
  ids: readonly string[],
): Promise<Outcome<ReadonlyMap<string, readonly string[]>>> {
  const kept = await readList(store);
  const known = new Map(ids.flatMap((id) => (kept.has(id) ? [[id, kept.get(id) ?? []]] : [])));
  const others = ids.filter((id) => !known.has(id));
  if (others.length === 0) return succeed(known);
  const described = await describeImages(store.host.run, others);
  if (!described.ok) return described;
  for (const [id, { digests }] of described.value) known.set(id, digests);
  return succeed(known);
}

async function readList({ host, graphRoot }: ImageStore): Promise<Map<string, readonly string[]>> {
  const text = await readKept(host, `${graphRoot}/${FOLDER}/images.json`, MAX_LIST_BYTES);
  const list = LIST.safeParse(parseJson(text));
  if (!list.success) return new Map();
  return new Map(
    list.data.flatMap(({ id, digest, 'big-data-names': names }) => {
      const manifests = (names ?? []).flatMap((name) => MANIFEST.exec(name)?.[1] ?? []);
      const digests = [...new Set([...(digest ? [digest] : []), ...manifests])];
      return digests.length > 0 ? [[id, digests] as const] : [];
    }),
  );
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
