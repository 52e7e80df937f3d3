import * as z from 'zod';
import { fail, type Outcome, succeed } from '../../shared/contract/outcome.ts';
import { parseJson } from '../../shared/contract/read-shape.ts';
import { PRODUCT } from './release-files.ts';
import { compareVersions, parseVersion } from './release-version.ts';

const whole = z.int().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

const manifestShape = z.object({
  v: z.literal(1),
  product: z.string().max(100),
  version: z
    .string()
    .max(100)
    .refine((version) => parseVersion(version) === version),
  commit: z.string().max(100),
  platform: z.string().max(100),
  /** Of the program file. */
  bytes: whole.min(1),
  sha256: digest,
  /** One more with each release, whatever its version: tells a replay of an old one. */
  generation: whole,
  /** The migrations of databases that it can take over, and the one that it brings them to. */
  schema: z.object({ min: whole, max: whole }),
  publishedAt: z.string().max(100),
});

/** What a publisher says of a program. */
export type ReleaseManifest = z.output<typeof manifestShape>;

/** Reads the text of a manifest; says what is wrong with it. Fields that are not known are passed over. */
export function parseManifest(text: string): Outcome<ReleaseManifest> {
  const read = manifestShape.safeParse(parseJson(text));
  if (read.success) return succeed(read.data);
  const fields = [...new Set(read.error.issues.map(({ path }) => path.join('.') || 'the whole'))];
  return fail(
    'RELEASE_SOURCE_INVALID',
    `The manifest is not as it should be: ${fields.join(', ')}.`,
  );
}

/** Checks that a manifest is of this product, this platform and the version that was asked for. */
export function checkManifest(
  manifest: ReleaseManifest,
  wanted: { readonly platform: string; readonly version: string | null },
): Outcome<ReleaseManifest> {
  const { product, platform, version } = manifest;
  if (product !== PRODUCT) {
    return fail('RELEASE_MISMATCH', `The manifest is of ${product}, not of ${PRODUCT}.`);
  }
  if (wanted.version !== null && compareVersions(version, wanted.version) !== 0) {
    return fail(
      'RELEASE_MISMATCH',
      `The manifest is of version ${version}, not ${wanted.version}.`,
    );
  }
  if (platform !== wanted.platform) {
    return fail('RELEASE_INCOMPATIBLE', `It is for ${platform}; this host is ${wanted.platform}.`);
  }
  return succeed(manifest);
}

const signatureFile = z.object({
  v: z.literal(1),
  signatures: z
    .array(z.object({ keyId: z.string().max(100), signature: z.base64().max(200) }))
    .max(20),
});

/** A signature of a manifest, and by whom it claims to be. */
export type ManifestSignature = { readonly keyId: string; readonly signature: string };

/** Reads the text of a signature file; undefined where it is none. */
export function parseSignatures(text: string): readonly ManifestSignature[] | undefined {
  return signatureFile.safeParse(parseJson(text)).data?.signatures;
}

/**
 * The digest that a file written by sha256sum(1) has for `name`: lines of 64 digits, a blank, a blank or `*`, and the
 * name. A single line may leave the name out or carry a folder.
 */
export function readChecksum(text: string, name: string): string | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const entries = lines.map((line) => {
    const [, sum, path = ''] = /^([0-9A-Fa-f]{64})(?:[ \t]+\*?(\S.*?))?\s*$/.exec(line) ?? [];
    return { sum: sum?.toLowerCase(), name: path.split('/').at(-1) ?? '' };
  });
  const named = entries.find((entry) => entry.name === name);
  const [only] = entries.length === 1 ? entries : [];
  return named?.sum ?? (only?.name === '' ? only.sum : undefined);
}
