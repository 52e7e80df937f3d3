import * as z from 'zod';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { formatPlatform, type ManifestInIndex } from '../domain/image-index.ts';
import { isDigest } from '../domain/image-reference.ts';
import { type RegistryAccess, reach } from './ask-registry.ts';
import { explainStatus } from './explain-failure.ts';
import { hashBody, INDEX_TYPES, MAX_MANIFEST_BYTES, manifestPath } from './look-up-digest.ts';

const text = z.string().max(200);
const INDEX = z.object({
  manifests: z
    .array(
      z.object({
        digest: z.string().refine(isDigest),
        platform: z
          .object({ os: text, architecture: text })
          // What is no image names none.
          .optional(),
      }),
    )
    .max(1_000),
});

/**
 * Reads the index of that digest (OCI image specification, "Image Index"; docker's manifest list says the same): its
 * bytes have to be those of the digest. A registry may count it as a pull, so what it says should be kept.
 */
export async function readIndex(
  access: RegistryAccess,
  digest: string,
): Promise<Outcome<readonly ManifestInIndex[]>> {
  const { image } = access.location;
  const question = {
    method: 'GET',
    accept: INDEX_TYPES.join(', '),
    maxBodyBytes: MAX_MANIFEST_BYTES,
  } as const;
  const got = await reach(question, manifestPath(image, digest), access);
  if (!got.ok) return got;
  const { response } = got.value;
  if (response.status !== 200) return explainStatus(response, `the index ${digest}`);
  const { host } = response.url;
  if (hashBody(response) !== digest) {
    return fail('REGISTRY_RESPONSE_INVALID', `${host} sent something else than ${digest}.`);
  }
  const index = INDEX.safeParse(parseJson(response.body.toString('utf8')));
  if (!index.success) {
    return fail('REGISTRY_RESPONSE_INVALID', `${digest} of ${host} is no index that can be read.`);
  }
  const manifests = index.data.manifests.flatMap(({ digest: of, platform }) =>
    platform ? [{ digest: of, platform: formatPlatform(platform.os, platform.architecture) }] : [],
  );
  return succeed(manifests);
}
