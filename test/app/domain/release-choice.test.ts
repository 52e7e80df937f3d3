import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type ChoiceRules,
  judgeRelease,
  type ListedRelease,
  type OfferedRelease,
  rankReleases,
} from '../../../app/domain/release-choice.ts';

const [RUNS, OTHER] = ['a'.repeat(64), 'b'.repeat(64)];

const listed = (version: string | null, more: Partial<ListedRelease> = {}): ListedRelease => ({
  tag: `v${version}`,
  version,
  isPrerelease: false,
  isDraft: false,
  ...more,
});

const rules: ChoiceRules = {
  current: { version: '1.2.0', digest: RUNS, tag: 'v1.2.0' },
  force: false,
  quarantine: [],
  generationFloor: null,
};

const offer: OfferedRelease = { tag: 'v1.3.0', version: '1.3.0', digest: OTHER, generation: null };

/** What a judgement comes to in a word, and the code where it refuses. */
function judge(more: Partial<OfferedRelease>, byRules: Partial<ChoiceRules> = {}): string {
  const judgement = judgeRelease({ ...offer, ...more }, { ...rules, ...byRules });
  return judgement.kind === 'refuse' ? judgement.failure.code : judgement.kind;
}

describe('rankReleases', () => {
  const tagsOf = (releases: readonly ListedRelease[], channel: 'stable' | 'beta') =>
    rankReleases(releases, channel).map(({ tag }) => tag);

  test('the newest by version comes first, in whatever order they are listed', () => {
    const releases = [listed('1.9.0'), listed('1.10.0'), listed('1.2.0')];
    assert.deepEqual(tagsOf(releases, 'stable'), ['v1.10.0', 'v1.9.0', 'v1.2.0']);
  });

  test('stable leaves out what is a pre-release by its mark or by its version', () => {
    const releases = [
      listed('2.0.0', { isPrerelease: true }),
      listed('1.9.0-rc.1'),
      listed('1.8.0'),
    ];
    assert.deepEqual(tagsOf(releases, 'stable'), ['v1.8.0']);
    assert.deepEqual(tagsOf(releases, 'beta'), ['v2.0.0', 'v1.9.0-rc.1', 'v1.8.0']);
  });

  test('drafts, tags without a version and tags that are no file names are left out', () => {
    const releases = [
      listed('9.0.0', { isDraft: true }),
      listed(null, { tag: 'nightly' }),
      listed('8.0.0', { tag: '../v8.0.0' }),
      listed('1.0.0'),
    ];
    assert.deepEqual(tagsOf(releases, 'beta'), ['v1.0.0']);
  });
});

describe('judgeRelease', () => {
  test('a newer release is taken', () => assert.equal(judge({}), 'take'));

  test('the program that runs is current, whatever the release is called', () => {
    assert.equal(judge({ digest: RUNS }), 'current');
  });

  test('while a digest is not known the same version is current', () => {
    assert.equal(judge({ version: '1.2.0', tag: 'v1.2.0', digest: null }), 'current');
    const current = { ...rules.current, digest: null };
    assert.equal(judge({ version: '1.2.0', tag: 'v1.2.0' }, { current }), 'current');
  });

  test('a program that failed here is quarantined by its digest, not by its name', () => {
    assert.equal(judge({}, { quarantine: [OTHER] }), 'RELEASE_QUARANTINED');
    assert.equal(judge({}, { quarantine: ['c'.repeat(64)] }), 'take');
  });

  test('an older version is a downgrade', () => {
    assert.equal(judge({ version: '1.1.9', tag: 'v1.1.9' }), 'RELEASE_DOWNGRADE');
  });

  test('a generation that is not above the highest one that was here is a replay', () => {
    assert.equal(judge({ generation: 7 }, { generationFloor: 7 }), 'RELEASE_DOWNGRADE');
    assert.equal(judge({ generation: 8 }, { generationFloor: 7 }), 'take');
    assert.equal(judge({ generation: null }, { generationFloor: 7 }), 'take');
  });

  test('another program under the tag or the version of the one that runs is an alarm', () => {
    const replaced = judgeRelease({ ...offer, version: '1.2.0', tag: 'v1.2.0' }, rules);
    assert.equal(replaced.kind, 'refuse');
    const { code, detail } = replaced.failure;
    assert.equal(code, 'RELEASE_MISMATCH');
    assert.match(detail, /^v1\.2\.0 is now offered with another program \(sha256 bbbbbbbbbbbb…\)/);
    assert.match(
      detail,
      /runs here under that name \(sha256 aaaaaaaaaaaa…\): it was published anew/,
    );
    assert.equal(judge({ version: '1.2.0', tag: 'again' }), 'RELEASE_MISMATCH');
    assert.equal(judge({ version: '1.3.0', tag: 'v1.2.0' }), 'RELEASE_MISMATCH');
  });

  test('force takes everything, the one that runs included', () => {
    for (const release of [
      { digest: RUNS },
      { version: '0.1.0' },
      { version: '1.2.0', tag: 'v1.2.0' },
      { generation: 1 },
    ]) {
      const byRules = { force: true, quarantine: [OTHER], generationFloor: 5 };
      assert.equal(judge(release, byRules), 'take');
    }
  });

  test('where the version that runs is none, every release is newer', () => {
    const current = { version: 'source', digest: RUNS, tag: null };
    assert.equal(judge({ version: '0.0.1', tag: 'v0.0.1' }, { current }), 'take');
  });
});
