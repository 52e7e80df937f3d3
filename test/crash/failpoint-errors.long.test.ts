import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { play } from './failpoint-run.ts';
import { ERRORS, SICK_DISKS } from './failpoint-scenarios.ts';

describe('an update on a disk that fails', { concurrency: 3 }, () => {
  for (const scenario of [...ERRORS, ...SICK_DISKS]) {
    test(scenario.name, async () => {
      const passed = await play(scenario);
      assert.ok(passed.includes(scenario.point), `${scenario.point} was never reached`);
    });
  }
});
