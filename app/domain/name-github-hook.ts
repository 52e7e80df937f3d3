import { type GithubHook, parseGithubHook } from '../../shared/contract/github-hook.ts';
import { field, text } from './sources/json-fields.ts';

/** What GitHub says in headers of the hook that sends; kept with each delivery. */
export const GITHUB_HOOK_HEADERS = [
  'x-github-hook-id',
  'x-github-hook-installation-target-type',
] as const;

/**
 * The hook that sent a delivery: its number and what it belongs to are in the headers, the name of that in the body. Undefined
 * where a header is missing, and for hooks of apps and enterprises, which the API has elsewhere.
 */
export function nameGithubHook(
  headers: Readonly<Record<string, string>>,
  payload: unknown,
): GithubHook | undefined {
  const id = headers['x-github-hook-id'] ?? '';
  switch (headers['x-github-hook-installation-target-type']) {
    case 'repository':
      return parseGithubHook(`${text(field(field(payload, 'repository'), 'full_name'))}/${id}`);
    case 'organization':
      return parseGithubHook(`orgs/${text(field(field(payload, 'organization'), 'login'))}/${id}`);
    default:
      return undefined;
  }
}
