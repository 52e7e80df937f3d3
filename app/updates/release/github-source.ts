import * as z from 'zod';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { parseVersion } from '../../domain/release-version.ts';
import { collect, explainStatus, rangeHeaders, toAssetAnswer } from './read-answer.ts';
import { type HttpAnswer, isFetchable, type ReleaseHttp } from './release-http.ts';
import type { ReleaseSource, SourceRelease } from './release-source.ts';

const PAGE_SIZE = 100;
/** The newest so many hundred releases are looked at. */
const MAX_PAGES = 5;
/** A hundred releases with long notes. */
const MAX_PAGE_BYTES = 16_777_216;

const releaseShape = z.object({
  tag_name: z.string(),
  draft: z.boolean(),
  prerelease: z.boolean(),
  assets: z.array(
    z.object({ name: z.string(), url: z.string(), browser_download_url: z.string() }),
  ),
});

/** How the API is asked. */
export type GithubOptions = {
  readonly http: ReleaseHttp;
  readonly apiUrl: string;
  /** OWNER/REPOSITORY. */
  readonly repository: string;
  readonly token: string | undefined;
};

/** The releases of a repository on GitHub, or on a GitHub Enterprise Server (REST API, "Releases"). */
export function createGithubSource(options: GithubOptions): ReleaseSource {
  const { http, apiUrl, repository } = options;
  const base = `${apiUrl}/repos/${repository}/releases`;
  return {
    name: `${repository} at ${new URL(apiUrl).host}`,
    list: () => listPages(base, options),
    async find(tag) {
      const asked = await ask(`${base}/tags/${encodeURIComponent(tag)}`, options);
      if (!asked.ok) return asked;
      if (asked.value.status === 404) {
        asked.value.discard();
        return succeed(undefined);
      }
      return await readJson(asked.value, releaseShape.transform(toRelease(options)));
    },
    async open(release, asset, wish) {
      const place = URL.parse(release.assets?.get(asset) ?? '');
      if (!place) return succeed({ kind: 'missing' });
      const headers = { accept: 'application/octet-stream', ...rangeHeaders(wish) };
      const answer = await http.get({ url: place, headers, ...authorize(place, options) });
      return answer.ok ? toAssetAnswer(answer.value, wish) : answer;
    },
    close: () => http.close(),
  };
}

async function listPages(
  base: string,
  options: GithubOptions,
): Promise<Outcome<readonly SourceRelease[]>> {
  const releases: SourceRelease[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const asked = await ask(`${base}?per_page=${PAGE_SIZE}&page=${page}`, options);
    if (!asked.ok) return asked;
    const read = await readJson(
      asked.value,
      z.array(releaseShape.transform(toRelease(options))).max(PAGE_SIZE),
    );
    if (!read.ok) return read;
    releases.push(...read.value);
    if (read.value.length < PAGE_SIZE) break;
  }
  return succeed(releases);
}

function ask(url: string, options: GithubOptions): Promise<Outcome<HttpAnswer>> {
  const headers = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };
  const place = new URL(url);
  return options.http.get({ url: place, headers, ...authorize(place, options) });
}

/** The token is for the API, and for nobody whom its answers name. */
function authorize(url: URL, { apiUrl, token }: GithubOptions): { authorization?: string } {
  const isApi = url.origin === new URL(apiUrl).origin;
  return isApi && token !== undefined ? { authorization: `Bearer ${token}` } : {};
}

async function readJson<T>(answer: HttpAnswer, shape: z.ZodType<T>): Promise<Outcome<T>> {
  if (answer.status !== 200) {
    answer.discard();
    return explainStatus(answer);
  }
  const body = await collect(answer.bytes, MAX_PAGE_BYTES, `The answer of ${answer.url.host}`);
  if (!body.ok) return body;
  const read = shape.safeParse(parseJson(body.value));
  if (read.success) return succeed(read.data);
  return fail('RELEASE_SOURCE_INVALID', `${answer.url.host} does not answer as GitHub does.`);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** With a token files come through the API, which alone serves those of a private repository. */
function toRelease({ token }: GithubOptions) {
  return (raw: z.output<typeof releaseShape>): SourceRelease => ({
    tag: raw.tag_name,
    version: parseVersion(raw.tag_name) ?? null,
    isPrerelease: raw.prerelease,
    isDraft: raw.draft,
    assets: new Map(
      raw.assets
        .map((asset) => [asset.name, token ? asset.url : asset.browser_download_url] as const)
        .filter(([, place]) => {
          const url = URL.parse(place);
          return url !== null && isFetchable(url);
        }),
    ),
  });
}
