import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { play } from './failpoint-run.ts';
import { KILLS, listEffectPoints, TWICE } from './failpoint-scenarios.ts';
import { EFFECT_POINTS, type StoryName } from './failpoints.ts';

/** Whether these are reached depends on how fast the machine is. */
const OF_SLOW_MACHINES = /^(?:before|after):(?:start-standby|stop-standby|kill-worker):/;

const reached = new Set<string>();

describe('an update that is cut off', { concurrency: 3 }, () => {
  for (const scenario of [...KILLS, ...TWICE]) {
    test(scenario.name, async () => {
      const passed = await play(scenario);
      assert.ok(passed.includes(scenario.point), `${scenario.point} was never reached`);
      for (const point of passed) reached.add(point);
    });
  }
});

test('every point of the registry was reached', () => {
  const missed = listEffectPoints().filter(({ point }) => !reached.has(point));
  assert.deepEqual(missed, []);
});

describe('a story in which nothing is broken', { concurrency: 3 }, () => {
  const known = new Set<string>(listEffectPoints().map(({ point }) => point));
  const isNoPoint = (point: string) => OF_SLOW_MACHINES.test(point) || point.includes('#');
  for (const story of Object.keys(EFFECT_POINTS) as StoryName[]) {
    test(`comes past no point that is not in the registry: ${story}`, async () => {
      const passed = await play({ story, failpoints: {}, end: 'as told' });
      const unknown = passed.filter((point) => !isNoPoint(point) && !known.has(point));
      assert.deepEqual([...new Set(unknown)], []);
    });
  }
});
