import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesDigest } from '../../../app/domain/matches-digest.ts';

const IMAGE = { registry: 'ghcr.io', repository: 'o/web', tag: 'main' };
const INDEX = `sha256:${'1'.repeat(64)}`;
const PLATFORM = `sha256:${'2'.repeat(64)}`;

type Row = readonly [
  title: string,
  local: { digest: string; repoDigests: readonly string[] },
  digest: string,
  expected: boolean,
];
const ROWS: readonly Row[] = [
  ["the manifest's own digest matches", { digest: PLATFORM, repoDigests: [] }, PLATFORM, true],
  [
    'the digest of the index it was pulled through matches',
    { digest: PLATFORM, repoDigests: [`ghcr.io/o/web@${PLATFORM}`, `ghcr.io/o/web@${INDEX}`] },
    INDEX,
    true,
  ],
  ['another digest does not match', { digest: PLATFORM, repoDigests: [] }, INDEX, false],
  [
    'the digest of an index of another repository does not match',
    { digest: PLATFORM, repoDigests: [`ghcr.io/o/other@${INDEX}`] },
    INDEX,
    false,
  ],
  [
    'a digest that only begins the same does not match',
    { digest: PLATFORM, repoDigests: [`ghcr.io/o/web@${INDEX}0`] },
    INDEX,
    false,
  ],
];
for (const [title, local, digest, expected] of ROWS)
  test(title, () => assert.equal(matchesDigest(local, IMAGE, digest), expected));
