/** Crockford's base 32: no letters that read alike. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARS = 9;
const RANDOM_CHARS = 10;

/** What an identifier is of: a task, a delivery, a request, a plan, a call on the command line, a system event, a token, a session. */
export type IdentifierPrefix =
  | 'tsk'
  | 'dlv'
  | 'req'
  | 'pln'
  | 'bat'
  | 'cli'
  | 'sys'
  | 'tok'
  | 'ses';

/**
 * An identifier that sorts by the time it was made (milliseconds, good until the year 3084) and cannot be guessed:
 * `tsk_` + 19 characters. `random` are at least 10 random bytes.
 */
export function formatIdentifier(
  prefix: IdentifierPrefix,
  nowMs: number,
  random: Uint8Array,
): string {
  let time = '';
  for (let rest = nowMs, place = 0; place < TIME_CHARS; place++) {
    time = ALPHABET[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  let tail = '';
  for (let place = 0; place < RANDOM_CHARS; place++) {
    tail += ALPHABET[(random[place] ?? 0) % 32];
  }
  return `${prefix}_${time}${tail}`;
}

/** Whether a text has the form of a task id: it then may stand in a unit name and in a path. */
export function isTaskId(text: string): boolean {
  return /^tsk_[0-9a-hjkmnp-tv-z]{19}$/.test(text);
}
