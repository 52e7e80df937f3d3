import { type Failure, fail } from '../../shared/contract/outcome.ts';
import { compareVersions, isPrerelease, isReleaseTag } from './release-version.ts';

/** A release as a source lists it. */
export type ListedRelease = {
  readonly tag: string;
  /** Null where neither the listing nor the tag names one. */
  readonly version: string | null;
  readonly isPrerelease: boolean;
  /** Not published yet. */
  readonly isDraft: boolean;
};

/** `beta` looks at pre-releases as well. */
export type ReleaseChannel = 'stable' | 'beta';

/** A release as far as it is known when it is judged. */
export type OfferedRelease = {
  readonly tag: string;
  readonly version: string;
  /** Null before its checksum or manifest was read. */
  readonly digest: string | null;
  readonly generation: number | null;
};

/** What a release is judged by. */
export type ChoiceRules = {
  readonly current: {
    readonly version: string;
    readonly digest: string | null;
    readonly tag: string | null;
  };
  /** Takes what would be refused, and what runs already. */
  readonly force: boolean;
  /** Digests of programs that failed here. */
  readonly quarantine: readonly string[];
  /** The highest generation that was ever committed here. */
  readonly generationFloor: number | null;
};

/** What is to be done with a release. */
export type Judgement =
  | { readonly kind: 'take' }
  /** It runs already. */
  | { readonly kind: 'current' }
  | { readonly kind: 'refuse'; readonly failure: Failure };

/** The releases that may be chosen from without naming one, newest first. */
export function rankReleases<R extends ListedRelease>(
  releases: readonly R[],
  channel: ReleaseChannel,
): readonly (R & { readonly version: string })[] {
  return releases
    .filter((release): release is R & { readonly version: string } => release.version !== null)
    .filter(({ tag, isDraft }) => isReleaseTag(tag) && !isDraft)
    .filter((release) => channel === 'beta' || !isForTrial(release))
    .sort((a, b) => compareVersions(b.version, a.version));
}

function isForTrial(release: { readonly isPrerelease: boolean; readonly version: string }) {
  return release.isPrerelease || isPrerelease(release.version);
}

/** Judges one release. Whoever looks for the newest goes on to the next one where this one is quarantined. */
export function judgeRelease(release: OfferedRelease, rules: ChoiceRules): Judgement {
  if (rules.force) return { kind: 'take' };
  if (isCurrent(release, rules)) return { kind: 'current' };
  const refused =
    findQuarantined(release, rules) ?? findReplaced(release, rules) ?? findOlder(release, rules);
  return refused ? { kind: 'refuse', failure: refused.failure } : { kind: 'take' };
}

function isCurrent({ digest, version }: OfferedRelease, { current }: ChoiceRules): boolean {
  if (digest !== null && current.digest !== null) return digest === current.digest;
  return compareVersions(version, current.version) === 0;
}

function findQuarantined({ digest, tag }: OfferedRelease, { quarantine }: ChoiceRules) {
  if (digest === null || !quarantine.includes(digest)) return undefined;
  return fail('RELEASE_QUARANTINED', `${tag} (${shorten(digest)}).`);
}

/** A published program never changes; where it does, somebody published it again or put another in its place. */
function findReplaced({ digest, tag, version }: OfferedRelease, { current }: ChoiceRules) {
  if (digest === null || current.digest === null) return undefined;
  const isSame = tag === current.tag || compareVersions(version, current.version) === 0;
  if (!isSame) return undefined;
  return fail(
    'RELEASE_MISMATCH',
    `${tag} is now offered with another program (${shorten(digest)}) than the one that runs here under that name ` +
      `(${shorten(current.digest)}): it was published anew, or somebody has replaced it. --force installs it.`,
  );
}

function findOlder({ tag, version, generation }: OfferedRelease, rules: ChoiceRules) {
  const { current, generationFloor } = rules;
  if (compareVersions(version, current.version) < 0) {
    return fail('RELEASE_DOWNGRADE', `${tag} is version ${version}; ${current.version} runs here.`);
  }
  if (generation === null || generationFloor === null || generation > generationFloor) {
    return undefined;
  }
  return fail(
    'RELEASE_DOWNGRADE',
    `${tag} has generation ${generation}; generation ${generationFloor} was installed here before.`,
  );
}

/** Enough of a digest for a person to compare. */
function shorten(digest: string): string {
  return `sha256 ${digest.slice(0, 12)}…`;
}
