import { compareBuild, parse } from 'semver';

/** What the releases of this program are called: safe in a URL and as the name of a folder. */
export function isReleaseTag(text: string): boolean {
  return /^\w[\w.+-]{0,99}$/.test(text);
}

/** The version that a text names, `1.2.3` or `v1.2.3`; undefined where it is none by SemVer. */
export function parseVersion(text: string): string | undefined {
  const parsed = /^\S+$/.test(text) ? parse(text) : null;
  if (!parsed) return undefined;
  return [parsed.version, ...(parsed.build.length > 0 ? [parsed.build.join('.')] : [])].join('+');
}

/** Whether a version is one of trial by its name, `1.2.3-beta.1`. */
export function isPrerelease(version: string): boolean {
  return (parse(version)?.prerelease.length ?? 0) > 0;
}

/**
 * Below zero where `a` is older, above where it is newer. Builds of one version are put in an order too, which SemVer
 * itself leaves open. What is no version (a program run from other sources) is older than all.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  if (left === undefined || right === undefined) {
    return Number(left !== undefined) - Number(right !== undefined);
  }
  return compareBuild(left, right);
}
