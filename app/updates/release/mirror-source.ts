import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { parseVersion } from '../../domain/release-version.ts';
import { collect, explainStatus, rangeHeaders, toAssetAnswer } from './read-answer.ts';
import { LISTING, MAX_LISTING_BYTES, readListing } from './read-listing.ts';
import type { ReleaseHttp } from './release-http.ts';
import type { AssetAnswer, AssetWish, ReleaseSource, SourceRelease } from './release-source.ts';

/** How a mirror is asked. */
export type MirrorOptions = {
  readonly http: ReleaseHttp;
  /** Without a final slash. */
  readonly baseUrl: string;
  /** OWNER/REPOSITORY, where the mirror has the layout of GitHub's own pages. */
  readonly repository: string | undefined;
};

/**
 * A web server that holds `releases.json` and `TAG/FILE`. Without a listing a release can still be named by its tag,
 * also in the layout of GitHub's pages: `OWNER/REPOSITORY/releases/download/TAG/FILE`.
 */
export function createMirrorSource(options: MirrorOptions): ReleaseSource {
  const { http, baseUrl } = options;
  const list = async () => {
    const listed = await fetchListing(options);
    if (!listed.ok) return listed;
    const detail = `${baseUrl} has no ${LISTING}; without one a release is found by PODUP_RELEASE_TAG only.`;
    return listed.value ? succeed(listed.value) : fail('RELEASE_SOURCE_INVALID', detail);
  };
  return {
    name: baseUrl,
    list,
    async find(tag) {
      const listed = await fetchListing(options);
      if (!listed.ok) return listed;
      if (!listed.value) return succeed(unlisted(tag));
      return succeed(listed.value.find((release) => release.tag === tag));
    },
    async open(release, asset, wish) {
      if (release.assets && !release.assets.has(asset)) return succeed({ kind: 'missing' });
      return openFirst(placesOf(options, release.tag, asset), wish, http);
    },
    close: () => http.close(),
  };
}

/** Undefined where the mirror has no listing. */
async function fetchListing({
  http,
  baseUrl,
}: MirrorOptions): Promise<Outcome<readonly SourceRelease[] | undefined>> {
  const url = new URL(`${baseUrl}/${LISTING}`);
  const answer = await http.get({ url, headers: { accept: 'application/json' } });
  if (!answer.ok) return answer;
  const { status, bytes, discard } = answer.value;
  if (status !== 200) {
    discard();
    return status === 404 || status === 410 ? succeed(undefined) : explainStatus(answer.value);
  }
  const body = await collect(bytes, MAX_LISTING_BYTES, LISTING);
  if (!body.ok) return body;
  return readListing(body.value.toString('utf8'), (tag, asset) => `${baseUrl}/${tag}/${asset}`);
}

function unlisted(tag: string): SourceRelease {
  const version = parseVersion(tag) ?? null;
  return { tag, version, isPrerelease: false, isDraft: false, assets: null };
}

function placesOf({ baseUrl, repository }: MirrorOptions, tag: string, asset: string): URL[] {
  const end = `${encodeURIComponent(tag)}/${encodeURIComponent(asset)}`;
  const own = new URL(`${baseUrl}/${end}`);
  if (repository === undefined) return [own];
  return [own, new URL(`${baseUrl}/${repository}/releases/download/${end}`)];
}

/** The first place that has the file. */
async function openFirst(
  places: readonly URL[],
  wish: AssetWish,
  http: ReleaseHttp,
): Promise<Outcome<AssetAnswer>> {
  for (const url of places) {
    const headers = { accept: 'application/octet-stream', ...rangeHeaders(wish) };
    const answer = await http.get({ url, headers });
    if (!answer.ok) return answer;
    const asset = toAssetAnswer(answer.value, wish);
    if (!asset.ok || asset.value.kind !== 'missing') return asset;
  }
  return succeed({ kind: 'missing' });
}
