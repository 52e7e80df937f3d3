import type { Hash } from 'node:crypto';

/**
 * A SHA-256 that is being computed. The module behind it costs 1.6 MB as soon as it is used, so a process that computes
 * none, as a supervisor at rest, does not load it.
 */
export function createSha256(): Hash {
  return process.getBuiltinModule('node:crypto').createHash('sha256');
}

/** SHA-256 of a text in UTF-8, as lower-case hexadecimal digits. */
export function sha256(content: string): string {
  return createSha256().update(content).digest('hex');
}
