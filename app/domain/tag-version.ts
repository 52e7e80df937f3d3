/** How far up tags are looked for: within the minor, within the major, or beyond; `off`: not at all. */
export const HIGHER_TAGS = ['off', 'patch', 'minor', 'major'] as const;

/** What a unit wants to hear of higher tags. */
export type HigherTags = (typeof HIGHER_TAGS)[number];

/** A tag that is a version: `v1.2`, `15-alpine`, `2024.1.3`. */
type TagVersion = {
  readonly prefix: string;
  /** As many numbers as are written, one to four. */
  readonly numbers: readonly number[];
  /** From the first character that is part of no number on. */
  readonly suffix: string;
};

// A number of more digits is a date, a hash or a build number.
const VERSION = /^(v?)(\d{1,7}(?:\.\d{1,7}){0,3})((?:[-_+].*)?)$/i;
const MAX_TOLD = 20;

function parseTagVersion(tag: string): TagVersion | undefined {
  const [, prefix, numbers, suffix] = VERSION.exec(tag) ?? [];
  if (prefix === undefined || numbers === undefined || suffix === undefined) return undefined;
  return { prefix, numbers: numbers.split('.').map(Number), suffix };
}

/**
 * Whether there can be higher tags of the kind that is wanted at all: only then the registry need be asked. Of `15` there
 * is none below the next major.
 */
export function mayHaveHigher(tag: string, wanted: HigherTags): boolean {
  const version = parseTagVersion(tag);
  return version !== undefined && fixedNumbers(wanted) < version.numbers.length;
}

/**
 * The tags that are higher versions, the highest first, 20 at most: written like the tag itself, with as many numbers, the
 * same prefix and the same suffix, so that `1.2-alpine` leads to `1.3-alpine` and neither to `1.3` nor to `1.3.1-alpine`.
 */
export function higherTags(
  tag: string,
  tags: readonly string[],
  wanted: HigherTags,
): readonly string[] {
  const own = parseTagVersion(tag);
  if (!own || !mayHaveHigher(tag, wanted)) return [];
  const fixed = fixedNumbers(wanted);
  const higher = tags.flatMap((other) => {
    const version = parseTagVersion(other);
    const isAlike =
      version !== undefined &&
      version.prefix === own.prefix &&
      version.suffix === own.suffix &&
      version.numbers.length === own.numbers.length &&
      own.numbers.slice(0, fixed).every((number, at) => version.numbers[at] === number);
    return isAlike && compare(version, own) > 0 ? [{ tag: other, version }] : [];
  });
  const sorted = higher.toSorted((a, b) => compare(b.version, a.version));
  return sorted.slice(0, MAX_TOLD).map((each) => each.tag);
}

/** How many of the leading numbers have to stay; all of them where none is looked for. */
function fixedNumbers(wanted: HigherTags): number {
  return { off: Number.POSITIVE_INFINITY, patch: 2, minor: 1, major: 0 }[wanted];
}

function compare(a: TagVersion, b: TagVersion): number {
  const at = a.numbers.findIndex((number, index) => number !== b.numbers[index]);
  return at === -1 ? 0 : (a.numbers[at] ?? 0) - (b.numbers[at] ?? 0);
}
