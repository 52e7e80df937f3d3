import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Open, UpdateEvent, UpdateStep } from '../../../../supervisor/core/update/machine.ts';
import { CONTEXT, from, inShort, NEW, OLD, open, opened, RULES, whereTo } from './fixture.ts';

const BAD = { code: 'UPDATE_PROBE_FAILED', detail: 'No answer.' } as const;
const good: UpdateEvent = { kind: 'probed', failure: null };
const bad: UpdateEvent = { kind: 'probed', failure: BAD };
const probe: UpdateEvent = { kind: 'update-timer', timer: 'probe' };

const up = (work: Open): UpdateStep => {
  const { version, digest } = work.record.state === 'rolling-back' ? OLD : NEW;
  return from(work, { kind: 'worker-up', readiness: { version, digest, schema: 2 } });
};

const SOAKS = [
  {
    state: 'trial',
    ms: 60_000,
    probes: 5,
    everyMs: 10_000,
    next: 'trial/checking',
    effects: ['check'],
  },
  {
    state: 'handing-over',
    ms: 10_000,
    probes: 2,
    everyMs: 5_000,
    next: 'committing/closing',
    effects: ['persist committing', 'end-trial', 'proceed', 'close committed'],
  },
  {
    state: 'rolling-back',
    ms: 1_000,
    probes: 2,
    everyMs: 500,
    next: 'rolled-back/closing',
    effects: ['persist rolled-back', 'end-trial', 'proceed', 'close rolled-back'],
  },
] as const;

describe('a worker that has to serve for a while', () => {
  for (const { state, ms, probes, everyMs, next, effects } of SOAKS) {
    test(`${state}: is asked ${probes} times within ${ms} ms`, () => {
      const begun = up(open(state, 'starting'));
      assert.equal(whereTo(begun), `${state}/soaking`);
      assert.deepEqual(inShort(begun.effects), [`+probe:${everyMs}`]);
      const { doing } = opened(begun);
      assert.ok(doing.what === 'soaking' && doing.untilMs === CONTEXT.nowMs + ms);
    });

    test(`${state}: has served enough when both the time and the answers are there`, () => {
      const work = opened(up(open(state, 'starting')));
      const end = CONTEXT.nowMs + ms;
      assert.equal(whereTo(answer(work, good, probes, end)), next);
      assert.deepEqual(inShort(answer(work, good, probes, end).effects), effects);
      assert.equal(whereTo(answer(work, good, probes, end - 1)), `${state}/soaking`);
      assert.equal(whereTo(answer(work, good, probes - 1, end)), `${state}/soaking`);
    });

    test(`${state}: is asked by the version that has to be there`, () => {
      const asked = from(opened(up(open(state, 'starting'))), probe);
      assert.deepEqual(inShort(asked.effects), [
        `probe ${state === 'rolling-back' ? OLD.version : NEW.version}`,
      ]);
    });

    test(`${state}: begins to count anew after a bad answer, and has three of them at most`, () => {
      const work = opened(up(open(state, 'starting')));
      const once = answer(
        opened(answer(work, good, probes - 1, CONTEXT.nowMs)),
        bad,
        1,
        CONTEXT.nowMs,
      );
      assert.equal(whereTo(once), `${state}/soaking`);
      assert.equal(
        whereTo(answer(opened(once), good, probes - 1, CONTEXT.nowMs + ms)),
        `${state}/soaking`,
      );
      assert.equal(whereTo(answer(work, bad, 2, CONTEXT.nowMs)), `${state}/soaking`);
      const given = answer(work, bad, 3, CONTEXT.nowMs);
      assert.equal(
        whereTo(given),
        state === 'rolling-back' ? 'held/held' : 'rolling-back/suspending',
      );
      const { failure } = opened(given).record;
      assert.equal(failure?.code, state === 'rolling-back' ? 'UPDATE_ROLLBACK_FAILED' : BAD.code);
    });

    test(`${state}: every good answer but the last leads to another question`, () => {
      const work = opened(up(open(state, 'starting')));
      assert.deepEqual(inShort(answer(work, good, 1, CONTEXT.nowMs).effects), [
        `+probe:${everyMs}`,
      ]);
      assert.deepEqual(inShort(answer(work, bad, 1, CONTEXT.nowMs).effects), [`+probe:${everyMs}`]);
    });
  }

  test('a short time to serve makes all times short', () => {
    const rules = { ...RULES, soakMs: 100 };
    for (const state of ['trial', 'handing-over', 'rolling-back'] as const) {
      const { version, digest } = state === 'rolling-back' ? OLD : NEW;
      const readiness = { version, digest, schema: 2 };
      const step = from(open(state, 'starting'), { kind: 'worker-up', readiness }, { rules });
      const { doing } = opened(step);
      assert.ok(doing.what === 'soaking' && doing.untilMs === CONTEXT.nowMs + 100);
      assert.deepEqual(inShort(step.effects), ['+probe:50']);
    }
  });

  test('what was not chosen is asked by the version that was there', () => {
    const { effects } = from(open('trial', 'soaking', { to: null }), probe);
    assert.deepEqual(inShort(effects), [`probe ${OLD.version}`]);
  });

  test('other clocks mean nothing', () => {
    const work = open('trial', 'soaking');
    for (const timer of ['idle-deadline', 'retry', 'held-poll'] as const) {
      assert.deepEqual(from(work, { kind: 'update-timer', timer }).effects, []);
    }
  });
});

/** The last of several equal answers. */
function answer(work: Open, event: UpdateEvent, times: number, nowMs: number): UpdateStep {
  let step = from(work, event, { nowMs });
  for (let n = 1; n < times; n++) step = from(opened(step), event, { nowMs });
  return step;
}
