import * as z from 'zod';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { parseJson } from '../../../shared/contract/read-shape.ts';
import { parseVersion } from '../../domain/release-version.ts';
import type { SourceRelease } from './release-source.ts';

/** The file of a mirror or a folder that lists its releases. */
export const LISTING = 'releases.json';

/** Larger than any listing gets. */
export const MAX_LISTING_BYTES = 4_194_304;

const listingShape = z
  .array(
    z.object({
      tag: z.string().max(200),
      version: z.string().max(100).optional(),
      prerelease: z.boolean().default(false),
      draft: z.boolean().default(false),
      /** Names of the files in the folder of the tag; absent: they are looked for. */
      assets: z.array(z.string().max(200)).max(1000).optional(),
    }),
  )
  .max(10_000);

/** Reads a listing; `placeOf` says where a file of a release lies. */
export function readListing(
  text: string,
  placeOf: (tag: string, asset: string) => string,
): Outcome<readonly SourceRelease[]> {
  const read = listingShape.safeParse(parseJson(text));
  if (!read.success) {
    const field = read.error.issues[0]?.path.join('.') || 'the whole';
    return fail('RELEASE_SOURCE_INVALID', `${LISTING} is not as it should be: ${field}.`);
  }
  return succeed(
    read.data.map(({ tag, version, prerelease, draft, assets }) => ({
      tag,
      version: parseVersion(version ?? tag) ?? null,
      isPrerelease: prerelease,
      isDraft: draft,
      assets: assets ? new Map(assets.map((asset) => [asset, placeOf(tag, asset)])) : null,
    })),
  );
}
