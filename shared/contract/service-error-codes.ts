import type { ErrorMeaning } from './error-meaning.ts';

/** What can be wrong when the command line asks the running service; see `ERRORS`. */
export const SERVICE_ERRORS = {
  SERVICE_NOT_READY: {
    status: 503,
    sentence: 'The service runs, but it does not answer the command line.',
    hint: 'It may be starting, being updated, or unable to start: its journal says which. Try again then.',
  },
  SERVICE_OF_ANOTHER_USER: {
    status: 403,
    sentence: 'The service belongs to another user.',
    hint: 'Run the command as that user, for example by runuser -u USER.',
  },
  SERVICE_CONNECTION_LOST: {
    status: 502,
    sentence: 'The service went away while it was asked, and may or may not have done it.',
    hint: 'Look whether it has, as with tasks list, before you ask again.',
  },
} as const satisfies Readonly<Record<string, ErrorMeaning>>;
