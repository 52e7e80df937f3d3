/** The repository whose tags hold the images that units can go back to. */
export const ROLLBACK_REPOSITORY = 'localhost/podup/rollback';

/** A tag may have 128 characters (github.com/distribution/reference); the number takes up to ten and a dash. */
const MAX_UNIT_CHARACTERS = 110;

/** An image that is held for a unit; the highest number is the newest. */
export type HeldImage = {
  readonly name: string;
  readonly number: number;
  readonly imageId: string;
};

/** The name under which the `number`th image of a unit is held. Different units never share one. */
export function rollbackName(unit: string, number: number): string {
  return `${ROLLBACK_REPOSITORY}:${encodeUnit(unit)}-${number}`;
}

/** A pattern of names among which are all that are held for a unit. */
export function heldPattern(unit: string): string {
  return `${ROLLBACK_REPOSITORY}:${encodeUnit(unit)}-*`;
}

/** The images that are held for a unit, newest first, of all names that podman knows. */
export function findHeld(
  unit: string,
  images: readonly { readonly id: string; readonly names: readonly string[] }[],
): readonly HeldImage[] {
  const prefix = `${ROLLBACK_REPOSITORY}:${encodeUnit(unit)}-`;
  return images
    .flatMap(({ id, names }) => names.map((name) => ({ name, imageId: id })))
    .filter(
      ({ name }) => name.startsWith(prefix) && /^[1-9][0-9]{0,8}$/.test(name.slice(prefix.length)),
    )
    .map(({ name, imageId }) => ({ name, imageId, number: Number(name.slice(prefix.length)) }))
    .sort((a, b) => b.number - a.number);
}

/** What is held beyond the newest `keep`, and may be let go of. */
export function findSurplus(held: readonly HeldImage[], keep: number): readonly HeldImage[] {
  return held.slice(keep);
}

/** Letters, digits and dots stay; whatever else a unit may be called becomes _XX. A long name ends in its checksum. */
function encodeUnit(unit: string): string {
  const encoded = unit.replaceAll(/[^A-Za-z0-9.]/g, (character) => {
    return `_${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  // A tag begins with a letter, a digit or an underscore.
  const tag = encoded.startsWith('.') ? `_2e${encoded.slice(1)}` : encoded;
  if (tag.length <= MAX_UNIT_CHARACTERS) return tag;
  return `${tag.slice(0, MAX_UNIT_CHARACTERS - 17)}_${checksum(tag)}`;
}

/** FNV-1a of 64 bits: enough to tell the long names of one host apart. */
function checksum(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let at = 0; at < text.length; at++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(at))) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}
