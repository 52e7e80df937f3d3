import { GITHUB_HOOK_HEADERS } from '../domain/name-github-hook.ts';
import type { HeaderLookup } from '../domain/sources/source.ts';
import { MAX_NAME_LENGTH } from './keep-delivery.ts';

/** What is kept of the headers with a delivery, so that it can be read again; none of them is secret. */
const KEPT_HEADERS = [
  'content-type',
  'user-agent',
  'x-github-event',
  'x-github-delivery',
  ...GITHUB_HOOK_HEADERS,
  'x-gitea-event',
  'x-gitea-delivery',
  'x-forgejo-event',
  'x-forgejo-delivery',
  'x-gogs-event',
  'x-gogs-delivery',
  'x-gitlab-event',
  'idempotency-key',
  'webhook-id',
  'webhook-timestamp',
  'ce-id',
  'ce-type',
  'ce-source',
  'ce-specversion',
];

/** Those of them that a delivery has, each cut off where it is longer than any that is meant. */
export function keepHeaders(
  headers: HeaderLookup,
  names: readonly string[] = KEPT_HEADERS,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers(name);
      return value === undefined ? [] : [[name, value.slice(0, MAX_NAME_LENGTH)]];
    }),
  );
}
