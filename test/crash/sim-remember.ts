import { createHash } from 'node:crypto';

/** Reads each text once: a story has few different ones, and they are read ten thousand times. */
export function remembering<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, { readonly value: T }>();
  return (text) => {
    const found = known.get(text);
    if (found) return found.value;
    const value = read(text);
    known.set(text, { value });
    return value;
  };
}

/** SHA-256 of bytes that are held as Latin-1. */
export const digestOf = remembering((text) =>
  createHash('sha256').update(text, 'latin1').digest('hex'),
);
