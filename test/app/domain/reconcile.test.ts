import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type LastDeployment, reconcile } from '../../../app/domain/reconcile.ts';

const LAST: LastDeployment = {
  ...{ image: 'ghcr.io/o/web:main', isProven: true, hasGoneBack: false },
  ...{ wantedImageId: 'new', formerImageId: 'old' },
};
const web = (imageId: string, imageName = 'ghcr.io/o/web:main') => ({ imageId, imageName });

const CASES: readonly (readonly [
  what: string,
  last: Partial<LastDeployment>,
  running: readonly ReturnType<typeof web>[],
  expected: ReturnType<typeof reconcile>,
])[] = [
  ['runs what was deployed', {}, [web('new')], 'as-deployed'],
  ['runs it beside a helper', {}, [web('new'), web('x', 'ghcr.io/o/log:1')], 'as-deployed'],
  ['runs it under another tag', {}, [web('new', 'ghcr.io/o/web:1.2')], 'as-deployed'],
  ['runs another image', {}, [web('other')], 'differs'],
  ['runs it in one container of two', {}, [web('new'), web('old')], 'differs'],
  ['does not run', {}, [], 'not-running'],
  ['runs a helper alone', {}, [web('x', 'ghcr.io/o/log:1')], 'not-running'],
  [
    'has gone back to the old one',
    { isProven: false, hasGoneBack: true },
    [web('old')],
    'as-deployed',
  ],
  ['runs what was taken back', { isProven: false, hasGoneBack: true }, [web('new')], 'differs'],
  ['was given up on', { isProven: false }, [web('new')], 'unknown'],
  ['was deployed by an older program', { wantedImageId: null }, [web('new')], 'unknown'],
  ['has a name that cannot be read', { image: '' }, [web('new')], 'unknown'],
];

describe('a unit that', () => {
  for (const [what, last, running, expected] of CASES) {
    test(`${what} is ${expected}`, () => {
      assert.equal(reconcile({ ...LAST, ...last }, running), expected);
    });
  }
});
