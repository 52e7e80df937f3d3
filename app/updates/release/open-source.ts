import type { Settings } from '../../../shared/config/settings.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { createDirectorySource } from './directory-source.ts';
import { createGithubSource } from './github-source.ts';
import { createMirrorSource } from './mirror-source.ts';
import { HTTP_LIMITS, type HttpLimits, openReleaseHttp } from './release-http.ts';
import type { ReleaseSource } from './release-source.ts';

/** The settings that say where releases come from. */
export type SourceSettings = Pick<
  Settings,
  'releaseApiUrl' | 'releaseRepository' | 'releaseBaseUrl' | 'releaseToken'
>;

/** How a source is spoken to. */
export type SourceOptions = {
  readonly userAgent: string;
  /** Ends every exchange. */
  readonly signal: AbortSignal;
  readonly limits?: HttpLimits;
};

/** The source that the settings name: a mirror or folder where one is set, else GitHub. */
export function openReleaseSource(
  settings: SourceSettings,
  { userAgent, signal, limits = HTTP_LIMITS }: SourceOptions,
): Outcome<ReleaseSource> {
  const { releaseBaseUrl: base, releaseRepository: repository, releaseApiUrl: apiUrl } = settings;
  if (base?.startsWith('/')) return succeed(createDirectorySource(base, signal));
  if (base === undefined && repository === undefined) {
    return fail(
      'RELEASE_SOURCE_UNREACHABLE',
      'Neither PODUP_RELEASE_REPOSITORY nor PODUP_RELEASE_BASE_URL is set.',
    );
  }
  const http = openReleaseHttp({ userAgent, signal, limits });
  if (base !== undefined) return succeed(createMirrorSource({ http, baseUrl: base, repository }));
  const token = settings.releaseToken;
  return succeed(createGithubSource({ http, apiUrl, repository: repository ?? '', token }));
}
