import type { ErrorMeaning } from './error-meaning.ts';

/** What can be wrong with hooks; see `ERRORS`. */
export const HOOK_ERRORS = {
  HOOK_REFUSED: {
    status: 401,
    sentence: 'There is no such hook, or it does not let this delivery in.',
    hint: 'Whoever looks after this host sees why: hooks show NAME, and the event of this request.',
  },
  HOOK_TIMESTAMP_REFUSED: {
    status: 401,
    sentence: 'The time of the delivery is too far from that of this host.',
    hint: 'Set the clocks of both right; what is sent again is to be signed anew. See PODUP_HOOK_TOLERANCE_MS.',
  },
  HOOK_NOT_FOUND: {
    status: 404,
    sentence: 'There is no hook of that name.',
    hint: 'The command hooks list shows all of them.',
  },
  HOOK_EXISTS: {
    status: 409,
    sentence: 'There is a hook of that name already.',
    hint: 'Change it, or remove it first.',
  },
  HOOK_INVALID: {
    status: 400,
    sentence: 'The hook cannot be as it was described.',
    hint: 'The document docs/hooks.md says for each sender what its hook needs.',
  },
  HOOK_LIMIT_REACHED: {
    status: 409,
    sentence: 'There are as many hooks as there can be.',
    hint: 'Remove those that are not used: hooks list shows when each was used last.',
  },
  HOOK_SECRET_NOT_FOUND: {
    status: 404,
    sentence: 'The hook has no such secret.',
    hint: 'The command hooks show NAME lists the ids of its live secrets.',
  },
  PUSH_NOT_PROVEN: {
    status: 409,
    sentence:
      'The registry does not have what a sender said was pushed, so nothing is deployed for it.',
    hint: 'The secret in the URL of the hook may have got into the wrong hands: rotate it. Or the image was removed since.',
  },
  HOOK_NOT_KEPT: {
    status: 503,
    sentence: 'The change of the hook could not be written, so nothing has changed.',
    hint: 'See that there is room on the disk of the state directory, and that it can be written.',
  },
  HOOK_KEY_MISSING: {
    status: 503,
    sentence: 'The secrets of a hook cannot be opened, so nobody is let in.',
    hint: 'Put the key back that the database was used with (PODUP_HOOK_KEY, or data/hook.key in the state directory); or rotate the secret of the hook.',
  },
  HOOK_KEY_UNUSABLE: {
    status: 503,
    sentence: 'The key that secrets of hooks are sealed with cannot be read or made.',
    hint: 'The detail says where it lies and what the system said; the file is 64 hexadecimal digits, and only its owner may read it.',
  },
} as const satisfies Readonly<Record<string, ErrorMeaning>>;
