import { createHash, createHmac, randomBytes } from 'node:crypto';

/** By that tokens of ours are found where they should not be. */
const PREFIX = 'podup_';
const SECRET_BYTES = 32;

/** A token that nobody can guess: 256 random bits. */
export function newToken(): string {
  return `${PREFIX}${newSessionSecret()}`;
}

/** What a cookie holds: 256 random bits in 43 characters of the URL-safe Base64. */
export function newSessionSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** What is kept of a token. It has too many bits to be guessed, so nothing slower is needed. */
export function digestToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/**
 * What is kept of a cookie. `key` are the tokens of the settings: another of them, and no cookie fits any more, though nothing
 * that is stored helps to guess one.
 */
export function digestSession(secret: string, key: string): string {
  return createHmac('sha256', key).update(secret).digest('hex');
}
