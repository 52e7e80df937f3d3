import type { ErrorMeaning } from './error-meaning.ts';

/** What can fail on the way to a host that is reached over SSH; see `ERRORS`. */
export const SSH_ERRORS = {
  SSH_UNREACHABLE: {
    status: 502,
    sentence: 'The host that the units run on cannot be reached or logged in to over SSH.',
    hint: 'Run as the user of this service: ssh -o BatchMode=yes TARGET true. It must succeed and print nothing.',
  },
} as const satisfies Record<string, ErrorMeaning>;
