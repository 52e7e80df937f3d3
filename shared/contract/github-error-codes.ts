import type { ErrorMeaning } from './error-meaning.ts';

/** What asking GitHub for failed deliveries can come to. */
export const GITHUB_ERRORS = {
  GITHUB_UNREACHABLE: {
    status: 502,
    sentence: 'The API of GitHub cannot be reached.',
    hint: 'Check network and DNS of this host, and PODUP_GITHUB_API_URL; it is asked again within an hour.',
  },
  GITHUB_TOKEN_REFUSED: {
    status: 502,
    sentence: 'GitHub does not take the token.',
    hint: 'Make a new one and set PODUP_GITHUB_TOKEN: it may have expired. See docs/deliveries.md.',
  },
  GITHUB_ACCESS_DENIED: {
    status: 502,
    sentence: 'The token may not see or redeliver what this hook sends.',
    hint: 'Give it the permission Webhooks (read and write) for that repository or organization; an organization may have to approve it.',
  },
  GITHUB_HOOK_NOT_FOUND: {
    status: 502,
    sentence: 'GitHub has no such hook, or does not show it to this token.',
    hint: 'Check the name in PODUP_GITHUB_HOOKS, and that the token is for that repository with the permission Webhooks (read and write).',
  },
  GITHUB_RATE_LIMITED: {
    status: 502,
    sentence: 'GitHub limits the rate of requests.',
    hint: 'It is not asked again before the time that it says.',
  },
  GITHUB_ANSWER_INVALID: {
    status: 502,
    sentence: 'GitHub answered in a way that cannot be trusted.',
    hint: 'The detail says what was wrong; check PODUP_GITHUB_API_URL, a proxy in between may be the cause.',
  },
} as const satisfies Record<string, ErrorMeaning>;
