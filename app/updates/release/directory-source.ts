import { createReadStream } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { FailureError, fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { isReleaseTag, parseVersion } from '../../domain/release-version.ts';
import { LISTING, MAX_LISTING_BYTES, readListing } from './read-listing.ts';
import type { AssetContent, ReleaseSource, SourceRelease } from './release-source.ts';

/**
 * A folder of this host that holds `releases.json` and `TAG/FILE`. Without a listing every folder whose name is a
 * version is a release.
 */
export function createDirectorySource(folder: string, signal: AbortSignal): ReleaseSource {
  return {
    name: folder,
    list: () => readReleases(folder),
    async find(tag) {
      const listed = await readReleases(folder);
      if (!listed.ok) return listed;
      return succeed(listed.value.find((release) => release.tag === tag));
    },
    async open(release, asset, wish) {
      const path = `${folder}/${release.tag}/${asset}`;
      if (!isReleaseTag(release.tag)) return succeed({ kind: 'missing' });
      try {
        const facts = await stat(path);
        if (!facts.isFile()) return succeed({ kind: 'missing' });
        const etag = `"${facts.ino}-${facts.size}-${facts.mtimeMs}"`;
        if (wish.offset > facts.size) return succeed({ kind: 'out-of-range' });
        const offset = etag === wish.etag ? wish.offset : 0;
        return succeed(await openFile(path, { offset, total: facts.size, etag, signal }));
      } catch (error) {
        return isMissing(error) ? succeed({ kind: 'missing' }) : unreadable(path, error);
      }
    },
    close: async () => undefined,
  };
}

async function readReleases(folder: string): Promise<Outcome<readonly SourceRelease[]>> {
  const listing = `${folder}/${LISTING}`;
  try {
    const { size } = await stat(listing);
    if (size > MAX_LISTING_BYTES) {
      return fail(
        'RELEASE_SOURCE_INVALID',
        `${listing} is longer than ${MAX_LISTING_BYTES} bytes.`,
      );
    }
    const text = await readFile(listing, 'utf8');
    return readListing(text, (tag, asset) => `${folder}/${tag}/${asset}`);
  } catch (error) {
    return isMissing(error) ? readFolders(folder) : unreadable(listing, error);
  }
}

async function readFolders(folder: string): Promise<Outcome<readonly SourceRelease[]>> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const releases = entries.flatMap((entry): SourceRelease[] => {
      const version = parseVersion(entry.name);
      if (version === undefined || entry.isFile()) return [];
      return [{ tag: entry.name, version, isPrerelease: false, isDraft: false, assets: null }];
    });
    return succeed(releases);
  } catch (error) {
    return unreadable(folder, error);
  }
}

async function openFile(
  path: string,
  {
    offset,
    total,
    etag,
    signal,
  }: { offset: number; total: number; etag: string; signal: AbortSignal },
): Promise<AssetContent> {
  // Opened before it is promised, so that a file without permission is found at once.
  const file = await open(path, 'r');
  const stream = createReadStream(path, { fd: file, start: offset, signal });
  const discard = () => void stream.on('error', () => undefined).destroy();
  async function* read() {
    try {
      for await (const chunk of stream) yield chunk as Uint8Array;
    } catch (error) {
      const failure = signal.aborted
        ? fail('UPDATE_CANCELLED', 'Reading the release was stopped.')
        : unreadable(path, error);
      throw new FailureError(failure.failure, { cause: error });
    }
  }
  return { kind: 'content', offset, total, etag, bytes: read(), discard };
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function unreadable(path: string, error: unknown) {
  const { code } = error as NodeJS.ErrnoException;
  return fail('RELEASE_SOURCE_UNREACHABLE', `${path} cannot be read (${code}).`);
}
