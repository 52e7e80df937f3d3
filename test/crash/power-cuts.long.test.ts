import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { explore } from './sim-explore.ts';
import { STORIES } from './sim-stories.ts';

/** Everything that can be interrupted, and every recovery once more, after each of its operations and in every way. */
const DEPTH = {
  disksPerMoment: 1_000,
  secondCrashes: Number.POSITIVE_INFINITY,
  isThorough: true,
} as const;

describe('an update that is cut off after any file operation, and cut off again while it recovers', () => {
  let states = 0;
  after(() => console.log(`${states} different disks were recovered from`));

  for (const story of STORIES) {
    test(`${story.name}: old or new serves, and nothing that was promised is lost`, async () => {
      const explored = await explore(story, DEPTH);
      states += explored.states;
      assert.deepEqual(explored.broken, []);
    });
  }
});
