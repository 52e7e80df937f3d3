import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { play } from './failpoint-run.ts';
import {
  ERRORS,
  KILLS,
  listEffectPoints,
  listFilePoints,
  SICK_DISKS,
  sample,
  TWICE,
} from './failpoint-scenarios.ts';
import { STORIES } from './failpoint-stories.ts';
import { parseFailpoints, TRACE_VARIABLE, VARIABLE } from './failpoints.ts';

const POINTS = [...listEffectPoints(), ...listFilePoints()];
const SCENARIOS = [...KILLS, ...TWICE, ...ERRORS, ...SICK_DISKS];

/** These are played with every change, all of them in the `long` files beside this one. */
const SAMPLES = [
  ...sample(KILLS, 7),
  ...sample(TWICE, 2),
  ...sample(ERRORS, 2),
  ...sample(SICK_DISKS, 1),
];

describe('the registry of failpoints', () => {
  test('names each point once in a story, and has a scenario for each', () => {
    const broken = new Set(SCENARIOS.map(({ story, point }) => `${story}: ${point}`));
    const named = POINTS.map(({ story, point }) => `${story}: ${point}`);
    assert.deepEqual(named, [...new Set(named)]);
    assert.deepEqual(
      named.filter((name) => !broken.has(name)),
      [],
    );
  });

  test('knows every point that a scenario or a story names', () => {
    const known = new Set<string>(POINTS.map(({ point }) => point));
    const told = Object.values(STORIES).flatMap((story) =>
      'failpoints' in story ? Object.keys(story.failpoints) : [],
    );
    const named = [...told, ...SCENARIOS.map(({ point }) => point)];
    assert.deepEqual(
      named.filter((point) => !known.has(point)),
      [],
    );
  });

  test('has another name for each scenario', () => {
    const names = SCENARIOS.map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
  });

  test('refuses an action that it does not know', () => {
    assert.throws(() => parseFailpoints('before:persist:trial=explode'), /explode/);
    assert.throws(() => parseFailpoints('sync#1:persist:trial=error(EWHATEVER)'), /EWHATEVER/);
    assert.deepEqual(parseFailpoints('a=exit(3);b=error(EIO)*7;c=kill'), [
      ['a', { kind: 'exit', code: 3, times: 1 }],
      ['b', { kind: 'error', code: 'EIO', times: 7 }],
      ['c', { kind: 'kill', times: 1 }],
    ]);
  });

  test('is not in what users run', () => {
    const dist = join(import.meta.dirname, '../../dist');
    const files = globSync('**/*.mjs', { cwd: dist });
    assert.ok(files.length > 1);
    const names = [VARIABLE, TRACE_VARIABLE, ...POINTS.map(({ point }) => point)];
    for (const file of files) {
      const content = readFileSync(join(dist, file), 'utf8');
      assert.deepEqual(
        names.filter((name) => content.includes(name)),
        [],
        file,
      );
    }
  });
});

describe('an update that is broken', { concurrency: 3 }, () => {
  for (const scenario of SAMPLES) {
    test(scenario.name, async () => {
      const passed = await play(scenario);
      assert.ok(passed.includes(scenario.point), `${scenario.point} was never reached`);
    });
  }
});
