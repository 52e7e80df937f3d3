import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { explore } from './sim-explore.ts';
import { STORIES } from './sim-stories.ts';

/** More than any moment can leave: our code has few things unsynced at a time. */
const DISKS_PER_MOMENT = 64;

describe('an update that is killed, or loses its power, after any file operation', () => {
  let states = 0;
  after(() => console.log(`${states} different disks were recovered from`));

  for (const story of STORIES) {
    test(`${story.name}: old or new serves, and nothing that was promised is lost`, async () => {
      const depth = { disksPerMoment: DISKS_PER_MOMENT, secondCrashes: 1 };
      const explored = await explore(story, depth);
      states += explored.states;
      assert.ok(explored.operations > 10, `${explored.operations} operations`);
      assert.deepEqual(explored.broken, []);
    });
  }
});
