import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { explore } from './sim-explore.ts';
import { STORIES } from './sim-stories.ts';

/** From the first step of every story, every disk that a moment can leave, and several moments of each recovery. */
const DEPTH = {
  disksPerMoment: 1_000,
  secondCrashes: 5,
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
