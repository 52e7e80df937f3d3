import type { ErrorMeaning } from './error-meaning.ts';

/** What can be refused because of who calls. */
export const ACCESS_ERRORS = {
  ADMIN_TOKEN_NOT_CONFIGURED: {
    status: 401,
    sentence: 'No credential is configured, so the API is closed.',
    hint: 'Set PODUP_TOKEN or PODUP_TOKEN_FILE and restart, or make a token on the host: pod-upgrade-trigger tokens create.',
  },
  ADMIN_TOKEN_MISSING: {
    status: 401,
    sentence: 'The request carries no credential.',
    hint: 'Send a token as: Authorization: Bearer TOKEN.',
  },
  ADMIN_TOKEN_INVALID: {
    status: 401,
    sentence: 'The token is none that is known here.',
    hint: 'Compare it with PODUP_TOKEN of the running server, or make a new one: pod-upgrade-trigger tokens create.',
  },
  TOKEN_EXPIRED: {
    status: 401,
    sentence: 'The time of this token is over.',
    hint: 'Make a new one: pod-upgrade-trigger tokens create.',
  },
  TOKEN_REVOKED: {
    status: 401,
    sentence: 'This token was revoked.',
    hint: 'Ask whoever revoked it, or make a new one: pod-upgrade-trigger tokens create.',
  },
  SESSION_ENDED: {
    status: 401,
    sentence: 'The session is over.',
    hint: 'Sign in again.',
  },
  FORWARD_AUTH_UNTRUSTED: {
    status: 401,
    sentence:
      'The header of ForwardAuth does not come from a trusted proxy, so it is not believed.',
    hint: 'Name the address of the proxy in PODUP_TRUSTED_PROXIES, or send a token.',
  },
  FORWARD_AUTH_REFUSED: {
    status: 401,
    sentence: 'The proxy names somebody who is no admin here.',
    hint: 'Compare what the proxy sends with PODUP_FWD_AUTH_ADMIN_VALUE.',
  },
  SCOPE_MISSING: {
    status: 403,
    sentence: 'The credential does not allow this.',
    hint: 'Use one with the scope that the detail names; GET /api/session tells what a credential allows.',
  },
  TOKEN_NOT_FOUND: {
    status: 404,
    sentence: 'There is no token of this name that is not revoked yet.',
    hint: 'See the list of tokens; those of the settings are changed there.',
  },
  TOKEN_NAME_TAKEN: {
    status: 409,
    sentence: 'There is a token of this name already.',
    hint: 'Choose another name, or revoke the other one first.',
  },
  TOO_MANY_TOKENS: {
    status: 409,
    sentence: 'There are so many tokens already that no more are made.',
    hint: 'Revoke those that nobody uses.',
  },
  REVOCATION_NOT_KEPT: {
    status: 503,
    sentence:
      'That something is revoked could not be written beside the database, so nothing has changed.',
    hint: 'See that there is room on the disk of the state directory, and that it can be written; then do it again.',
  },
  CSRF_HEADER_MISSING: {
    status: 403,
    sentence: 'A change that a browser asks for needs the header x-podup-csrf.',
    hint: 'Send x-podup-csrf: 1, or a token in the Authorization header.',
  },
  CROSS_SITE_REQUEST: {
    status: 403,
    sentence: 'The request was made by a page of another site.',
    hint: 'Use the page of this service; behind a proxy that changes Host, set PODUP_PUBLIC_BASE_URL.',
  },
} as const satisfies Record<string, ErrorMeaning>;
