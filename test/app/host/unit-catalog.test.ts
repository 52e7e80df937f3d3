import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { UnitReading } from '../../../app/host/read-unit.ts';
import { createUnitCatalog } from '../../../app/host/unit-catalog.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { listedUnits } from '../../helpers/listed-units.ts';

const IMAGE = { registry: 'ghcr.io', repository: 'octo-org/hello', tag: 'latest' };
const NAME = 'web.service';
const LISTED = { allowed: true, because: 'listed' } as const;

function reading(image: UnitReading['image']): Outcome<UnitReading> {
  return succeed({
    name: NAME,
    activeState: 'active',
    subState: 'running',
    result: 'success',
    mainPid: 1,
    needsReload: false,
    pullsItself: false,
    isAutoUpdated: false,
    ...{
      playsKube: null,
      isInPod: false,
      sourcePath: '',
      fragmentPath: '',
      bindsTo: [],
      dropInPaths: [],
      requires: [],
    },
    image,
  });
}

/** A catalogue of one unit whose answers of systemd the test gives. */
function start() {
  const questions: ((answer: Outcome<UnitReading>) => void)[] = [];
  const units = createUnitCatalog(
    listedUnits([NAME]).admit,
    () => new Promise((answer) => questions.push(answer)),
  );
  const learn = async (answer: Outcome<UnitReading>) => {
    const facts = units.refresh(NAME);
    questions.at(-1)?.(answer);
    return facts;
  };
  return { units, questions, learn };
}

describe('unit catalogue', () => {
  for (const [title, answer, facts] of [
    ['a unit with an image is known', reading(IMAGE), { state: 'known', image: IMAGE }],
    ['a unit without one has an unknown image', reading(undefined), { state: 'image-unknown' }],
    [
      'a unit that is not there is unknown to systemd',
      fail('UNIT_NOT_FOUND', ''),
      { state: 'unknown-to-systemd' },
    ],
    [
      'while systemd does not answer nothing is known',
      fail('USER_MANAGER_UNAVAILABLE', ''),
      { state: 'not-looked-up' },
    ],
  ] as const) {
    test(title, async () => {
      const { units, learn } = start();
      const expected = { name: NAME, admission: LISTED, ...facts };
      assert.deepEqual(await learn(answer), expected);
      assert.deepEqual(units.facts(NAME), expected);
    });
  }

  test('before the first question nothing is known', () => {
    assert.deepEqual(start().units.facts(NAME), {
      name: NAME,
      admission: LISTED,
      state: 'not-looked-up',
    });
  });

  test('what was known stays while systemd does not answer', async () => {
    const { units, learn } = start();
    await learn(reading(IMAGE));
    const facts = await learn(fail('USER_MANAGER_UNAVAILABLE', ''));
    assert.equal(facts.state, 'known');
    assert.equal(units.facts(NAME).state, 'known');
  });

  test('what systemd says anew replaces what was known', async () => {
    const { learn } = start();
    await learn(reading(IMAGE));
    assert.equal((await learn(fail('UNIT_NOT_FOUND', ''))).state, 'unknown-to-systemd');
    assert.equal((await learn(reading(undefined))).state, 'image-unknown');
  });

  test('those who ask at the same time share one question, and later ones ask again', async () => {
    const { units, questions, learn } = start();
    const asked = [units.refresh(NAME), units.refresh(NAME), units.refresh(NAME)];
    assert.equal(questions.length, 1);
    questions[0]?.(reading(IMAGE));
    const facts = await Promise.all(asked);
    assert.ok(facts.every(({ state }) => state === 'known'));
    await learn(reading(IMAGE));
    assert.equal(questions.length, 2);
  });

  test('a unit that is not configured is never asked for', async () => {
    const { units, questions } = start();
    assert.deepEqual(await units.refresh('other.service'), {
      name: 'other.service',
      admission: { allowed: false, reason: 'unknown' },
      state: 'not-looked-up',
    });
    assert.equal(questions.length, 0);
  });

  test('many units are asked for a few at a time, each once', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `unit${at}.service`);
    let [asking, most, asked] = [0, 0, 0];
    const units = createUnitCatalog(listedUnits(names).admit, async () => {
      asked++;
      asking++;
      most = Math.max(most, asking);
      await setImmediate();
      asking--;
      return reading(IMAGE);
    });
    await units.refreshAll(names);
    assert.deepEqual([asked, most], [30, 8]);
    assert.ok(names.every((name) => units.facts(name).state === 'known'));
  });
});
