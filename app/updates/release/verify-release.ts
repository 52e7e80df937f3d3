import type { PublicKey } from '../../../shared/config/setting-values.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { CHECKSUM_SUFFIX, MANIFEST_SUFFIX, SIGNATURE_SUFFIX } from '../../domain/release-files.ts';
import {
  checkManifest,
  parseManifest,
  type ReleaseManifest,
  readChecksum,
} from '../../domain/release-manifest.ts';
import { collect } from './read-answer.ts';
import { type ReleaseSource, type SourceRelease, WHOLE } from './release-source.ts';
import { verifySignature } from './verify-signature.ts';

/** What is known of a release before its program is fetched. */
export type ReleaseFacts = {
  readonly tag: string;
  readonly version: string;
  readonly digest: string;
  /** Null without a manifest. */
  readonly manifest: ReleaseManifest | null;
  /** The id of the key that signed the manifest; null where none is asked for. */
  readonly signedBy: string | null;
};

/** What releases are held to. */
export type Verification = {
  readonly keys: readonly PublicKey[];
  /** The name of the program file. */
  readonly asset: string;
  readonly platform: string;
};

/** Longer than any of these files gets. */
const MAX_SMALL_BYTES = 65_536;

/**
 * Reads what a release says of its program. With keys nothing counts but a signed manifest; without, a manifest or a
 * checksum is enough, and where there are both they have to agree. Undefined where the release has neither.
 */
export async function readFacts(
  source: ReleaseSource,
  release: SourceRelease,
  verification: Verification,
): Promise<Outcome<ReleaseFacts | undefined>> {
  const read = (suffix: string) => readSmall(source, release, `${verification.asset}${suffix}`);
  const file = await read(MANIFEST_SUFFIX);
  if (!file.ok) return file;
  const isSigned = verification.keys.length > 0;
  const signed = isSigned ? await checkSigned(file.value, read, verification.keys) : succeed(null);
  if (!signed.ok) return signed;
  const manifest = file.value && readManifest(file.value, release, verification);
  if (manifest && !manifest.ok) return manifest;
  const checksum = isSigned ? succeed(undefined) : await checkChecksum(read, verification.asset);
  if (!checksum.ok) return checksum;
  return combine(release, manifest?.value ?? null, checksum.value, signed.value);
}

/** Undefined where the release has no such file. */
async function readSmall(
  source: ReleaseSource,
  release: SourceRelease,
  asset: string,
): Promise<Outcome<Buffer | undefined>> {
  const opened = await source.open(release, asset, WHOLE);
  if (!opened.ok) return opened;
  if (opened.value.kind !== 'content') return succeed(undefined);
  return collect(opened.value.bytes, MAX_SMALL_BYTES, asset);
}

type ReadSmall = (suffix: string) => Promise<Outcome<Buffer | undefined>>;

async function checkSigned(
  manifest: Buffer | undefined,
  read: ReadSmall,
  keys: readonly PublicKey[],
): Promise<Outcome<string>> {
  if (!manifest) return fail('RELEASE_UNSIGNED', 'It has no manifest that could be signed.');
  const file = await read(SIGNATURE_SUFFIX);
  if (!file.ok) return file;
  if (!file.value) return fail('RELEASE_UNSIGNED', 'Its manifest has no signature file.');
  return verifySignature(manifest, file.value, keys);
}

function readManifest(
  file: Buffer,
  { version }: SourceRelease,
  { platform }: Verification,
): Outcome<ReleaseManifest> {
  const manifest = parseManifest(file.toString('utf8'));
  return manifest.ok ? checkManifest(manifest.value, { platform, version }) : manifest;
}

async function checkChecksum(read: ReadSmall, asset: string): Promise<Outcome<string | undefined>> {
  const file = await read(CHECKSUM_SUFFIX);
  if (!file.ok || !file.value) return file.ok ? succeed(undefined) : file;
  const digest = readChecksum(file.value.toString('utf8'), asset);
  if (digest !== undefined) return succeed(digest);
  return fail('RELEASE_SOURCE_INVALID', `${asset}${CHECKSUM_SUFFIX} has no checksum of ${asset}.`);
}

function combine(
  { tag, version: listed }: SourceRelease,
  manifest: ReleaseManifest | null,
  checksum: string | undefined,
  signedBy: string | null,
): Outcome<ReleaseFacts | undefined> {
  const digest = manifest?.sha256 ?? checksum;
  if (digest === undefined) return succeed(undefined);
  if (checksum !== undefined && checksum !== digest) {
    return fail(
      'RELEASE_MISMATCH',
      `Manifest and checksum file of ${tag} name different programs.`,
    );
  }
  const version = manifest?.version ?? listed;
  if (version === null) {
    return fail('RELEASE_SOURCE_INVALID', `${tag} is no version, and no manifest names one.`);
  }
  return succeed({ tag, version, digest, manifest, signedBy });
}
