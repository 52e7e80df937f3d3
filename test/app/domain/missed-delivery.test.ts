import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decideTag, isSettled, type TagSituation } from '../../../app/domain/missed-delivery.ts';

const IMAGE = 'ghcr.io/o/web:main';
const FORMER = { image: IMAGE, digest: 'old' };

/** A unit that does not run what its tag means since somebody has pushed, as `over` changes it. */
function tag(over: Partial<TagSituation> = {}): TagSituation {
  return {
    ...{ image: IMAGE, digest: 'new', isCurrent: false, known: FORMER, isOpen: false },
    ...{ isQuarantined: false, isNamed: false, followsTag: false, ...over },
  };
}

describe('what a tag that was looked up means for a unit', () => {
  for (const [what, over, sweep, push] of [
    ['meant another digest before', {}, 'deploy', 'deploy'],
    ['is what the unit runs', { isCurrent: true }, 'current', 'current'],
    [
      'is what the unit runs while a task is open',
      { isCurrent: true, isOpen: true },
      'current',
      'current',
    ],
    ['is looked up by an open task', { isOpen: true }, 'open', 'open'],
    [
      'means what has failed while a task is open',
      { isOpen: true, isQuarantined: true },
      'open',
      'open',
    ],
    ['means what has failed', { isQuarantined: true }, 'quarantined', 'quarantined'],
    [
      'means what it meant before',
      { known: { image: IMAGE, digest: 'new' } },
      'unchanged',
      'unchanged',
    ],
    ['was told of', { isNamed: true }, 'named', 'named'],
    ['was never seen', { known: undefined }, 'first-sight', 'deploy'],
    ['was never seen but told of', { known: undefined, isNamed: true }, 'first-sight', 'deploy'],
    [
      'is another one than before',
      { known: { image: 'ghcr.io/o/web:1', digest: 'old' } },
      'first-sight',
      'deploy',
    ],
    [
      'was never seen, of a unit that follows it',
      { known: undefined, followsTag: true },
      'deploy',
      'deploy',
    ],
    [
      'means what it meant before, of a unit that follows it',
      { known: { image: IMAGE, digest: 'new' }, followsTag: true },
      'unchanged',
      'unchanged',
    ],
  ] as const) {
    test(`it ${what}: ${sweep} by the clock, ${push} after a push`, () => {
      assert.deepEqual(
        [decideTag(tag(over), 'sweep'), decideTag(tag(over), 'push')],
        [sweep, push],
      );
    });
  }

  test('what may still come of a digest does not make it the one that later ones are told from', () => {
    const all = [
      'deploy',
      'current',
      'first-sight',
      'unchanged',
      'named',
      'open',
      'quarantined',
    ] as const;
    assert.deepEqual(
      all.filter((one) => !isSettled(one)),
      ['open', 'quarantined'],
    );
  });
});
