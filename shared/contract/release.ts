import { nullable, pattern, type ReadBy, shape, text, whole } from './read-shape.ts';

/** SHA-256 of a file as lower-case hexadecimal digits. */
export const digestText = pattern(/^[0-9a-f]{64}$/);

/** A version as programs name it: `1.2.3`, `1.2.3-beta.1`. */
const versionText = pattern(/^[0-9A-Za-z][0-9A-Za-z.+-]{0,99}$/);

/** A program file, told apart by its content. What is not known is null. */
export const releaseIdentity = shape({
  version: versionText,
  /** SHA-256 of the program file. Quarantine and recovery go by it, never by the name. */
  digest: digestText,
  /** The release's number in the order of publishing, from its signed manifest. */
  generation: nullable(whole()),
  /** The tag under which it was offered. */
  tag: nullable(text(200)),
  commit: nullable(text(100)),
});
export type ReleaseIdentity = ReadBy<typeof releaseIdentity>;
