import {
  type ImageReference,
  isDigest,
  isTag,
  parseImageReference,
  sameRepository,
} from './image-reference.ts';
import { ROLLBACK_REPOSITORY } from './rollback-tag.ts';

/** Which version of its image a unit is to run. */
export type WantedVersion =
  /** What a tag means at the registry; without a choice the unit's own tag. */
  | { readonly kind: 'tag'; readonly tag: string }
  /** `tag`: the one that a person chose, and that had this digest then. */
  | { readonly kind: 'digest'; readonly digest: string; readonly tag?: string }
  /** An image that is held for a unit as the way back, by its whole name. */
  | { readonly kind: 'held'; readonly name: string };

/**
 * Reads what a person wants a unit to run whose image is `image`: `:TAG` or `TAG`, `sha256:…`, the same behind the
 * unit's own repository (`REPOSITORY:TAG`, `REPOSITORY@sha256:…`), or the name of a held image. Undefined for anything
 * else, other repositories included: that would be another program and not another version.
 */
export function parseWantedVersion(raw: string, image: ImageReference): WantedVersion | undefined {
  if (raw.startsWith(`${ROLLBACK_REPOSITORY}:`)) {
    return parseImageReference(raw) && { kind: 'held', name: raw };
  }
  const short = raw.replace(/^[:@]/, '');
  if (isDigest(short)) return { kind: 'digest', digest: short };
  if (isTag(short)) return { kind: 'tag', tag: short };
  const reference = parseImageReference(raw);
  if (!reference || !sameRepository(reference, image)) return undefined;
  const { digest, tag } = reference;
  if (digest !== undefined) return { kind: 'digest', digest, ...(tag !== undefined && { tag }) };
  return { kind: 'tag', tag: tag ?? 'latest' };
}
