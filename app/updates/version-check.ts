import { PROGRAM } from '../../shared/config/program-version.ts';
import { type Outcome, succeed } from '../../shared/contract/outcome.ts';
import type { VersionCheckView } from '../api/info-views.ts';
import type { ReleaseCheckView } from '../api/self-update-views.ts';
import { compareVersions, parseVersion } from '../domain/release-version.ts';

/** Says whether there is a newer release; what was found is told for a while, to all. */
export type VersionCheck = () => Promise<Outcome<VersionCheckView>>;

/** GitHub lets strangers ask 60 times an hour, for all programs of a network together. */
const KEEP_MS = 3_600_000;
const KEEP_FAILURE_MS = 300_000;

/** Keeps the answers of `look`. */
export function createVersionCheck(
  look: () => Promise<Outcome<ReleaseCheckView>>,
  now: () => number = Date.now,
): VersionCheck {
  let known:
    | { readonly at: number; readonly found: Promise<Outcome<VersionCheckView>> }
    | undefined;
  let keepMs = KEEP_MS;
  return () => {
    const at = now();
    const age = known ? at - known.at : Number.POSITIVE_INFINITY;
    // A clock that was set back makes nothing younger than it is.
    if (known && age >= 0 && age < keepMs) return known.found;
    keepMs = KEEP_MS;
    const found = look().then((checked) => {
      if (!checked.ok) keepMs = KEEP_FAILURE_MS;
      return checked.ok ? succeed(compare(checked.value, at)) : checked;
    });
    known = { at, found };
    return found;
  };
}

function compare({ kind, tag, version, published_at }: ReleaseCheckView, at: number) {
  const isComparable = parseVersion(PROGRAM.version) !== undefined;
  const isNewer = version !== null && compareVersions(version, PROGRAM.version) > 0;
  const view: VersionCheckView = {
    current: { package: PROGRAM.version, release_tag: `v${PROGRAM.version}` },
    latest: { release_tag: tag, published_at },
    has_update: isComparable ? kind === 'other' && isNewer : null,
    compare_reason: isComparable ? 'semver' : 'uncomparable',
    checked_at: Math.floor(at / 1000),
  };
  return view;
}
