import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { explore } from './sim-explore.ts';
import { STORIES } from './sim-stories.ts';

/** Every disk that a moment can leave, up to this many; the long run has no second crash at fewer moments. */
const DISKS_PER_MOMENT = 64;

describe('power that goes after any file operation, whatever was not synced being lost or not', () => {
  let states = 0;
  after(() => console.log(`${states} different disks were recovered from`));

  for (const story of STORIES) {
    test(`${story.name}: old or new serves, and nothing that was promised is lost`, async () => {
      const explored = await explore(story, { disksPerMoment: DISKS_PER_MOMENT, secondCrashes: 1 });
      states += explored.states;
      assert.ok(explored.operations > 10, `${explored.operations} operations`);
      assert.deepEqual(explored.broken, []);
    });
  }
});
