import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  STANDBY_AFTER_MS,
  type Standby,
  type StandbyEffect,
  type StandbyEvent,
  stepStandby,
} from '../../../supervisor/core/standby.ts';
import type { State } from '../../../supervisor/core/state.ts';
import {
  idle,
  onTrial,
  pausing,
  refused,
  reloading,
  running,
  starting,
  stopped,
  stopping,
  suspended,
  tried,
  waiting as waitingToStart,
} from './samples.ts';

const off: Standby = { phase: 'off' };
const waiting: Standby = { phase: 'waiting' };
const on: Standby = { phase: 'on' };
const fired: StandbyEvent = { kind: 'standby-timer' };
const exited: StandbyEvent = { kind: 'standby-exited' };

/** Worker states in which nobody accepts a webhook although the service is there. */
const UNSERVED: readonly State[] = [
  starting,
  tried,
  waitingToStart,
  reloading,
  pausing,
  suspended,
  refused,
];
/** Those in which somebody does, or nobody is to any more. */
const NOT_NEEDED: readonly State[] = [idle, running, onTrial, stopping, stopped];

describe('the standby', () => {
  for (const worker of UNSERVED) {
    const name = describeWorker(worker);
    test(`is waited with for a moment where a worker is ${name}, then started`, () => {
      assert.deepEqual(stepStandby(off, worker, undefined), {
        standby: waiting,
        effects: [{ kind: 'set-standby-timer', afterMs: STANDBY_AFTER_MS }],
      });
      assert.deepEqual(stepStandby(waiting, worker, undefined), { standby: waiting, effects: [] });
      assert.deepEqual(stepStandby(waiting, worker, fired), {
        standby: on,
        effects: [{ kind: 'start-standby' }],
      });
      assert.deepEqual(stepStandby(on, worker, undefined), { standby: on, effects: [] });
    });

    test(`is started again after a pause when it ends while a worker is ${name}`, () => {
      assert.deepEqual(stepStandby(on, worker, exited), {
        standby: waiting,
        effects: [{ kind: 'set-standby-timer', afterMs: 2_000 }],
      });
    });
  }

  for (const worker of NOT_NEEDED) {
    test(`is stopped where a worker is ${describeWorker(worker)}`, () => {
      assert.deepEqual(stepStandby(off, worker, undefined), { standby: off, effects: [] });
      assert.deepEqual(stepStandby(waiting, worker, undefined), {
        standby: off,
        effects: [{ kind: 'clear-standby-timer' }],
      });
      assert.deepEqual(stepStandby(on, worker, undefined), {
        standby: off,
        effects: [{ kind: 'stop-standby' }],
      });
    });
  }

  test('a clock that fires late, or an end that was asked for, changes nothing', () => {
    assert.deepEqual(stepStandby(off, running, fired), { standby: off, effects: [] });
    assert.deepEqual(stepStandby(off, running, exited), { standby: off, effects: [] });
    assert.deepEqual(stepStandby(on, starting, fired), { standby: on, effects: [] });
    assert.deepEqual(stepStandby(waiting, starting, exited), { standby: waiting, effects: [] });
  });

  test('is there in good time for a sender that waits ten seconds', () => {
    assert.ok(STANDBY_AFTER_MS + 2_000 < 10_000);
  });

  test('whatever happens, it is asked to run exactly where it is on, and a clock runs exactly where it is waited with', () => {
    const anyHappening = fc.record({
      worker: fc.constantFrom(...UNSERVED, ...NOT_NEEDED),
      event: fc.constantFrom(undefined, fired, exited),
    });
    fc.assert(
      fc.property(fc.array(anyHappening, { maxLength: 40 }), (walk) => {
        let standby: Standby = { phase: 'off' };
        const asked = { runs: false, clock: false };
        for (const { worker, event } of walk) {
          const next = stepStandby(standby, worker, hear(asked, event));
          standby = next.standby;
          for (const effect of next.effects) take(asked, effect);
          assert.deepEqual(asked, {
            runs: standby.phase === 'on',
            clock: standby.phase === 'waiting',
          });
          assert.ok(
            NOT_NEEDED.includes(worker) ? standby.phase === 'off' : standby.phase !== 'off',
          );
        }
      }),
    );
  });
});

type Asked = { runs: boolean; clock: boolean };

/** A clock fires only where it runs, and only what runs ends. */
function hear(asked: Asked, event: StandbyEvent | undefined): StandbyEvent | undefined {
  if (event === fired && asked.clock) {
    asked.clock = false;
    return event;
  }
  if (event === exited && asked.runs) {
    asked.runs = false;
    return event;
  }
  return undefined;
}

function take(asked: Asked, effect: StandbyEffect): void {
  switch (effect.kind) {
    case 'set-standby-timer':
      asked.clock = true;
      return;
    case 'clear-standby-timer':
      asked.clock = false;
      return;
    case 'start-standby':
      assert.ok(!asked.runs);
      asked.runs = true;
      return;
    case 'stop-standby':
      asked.runs = false;
      return;
  }
}

function describeWorker(worker: State): string {
  const trial = 'tally' in worker && worker.tally.trial ? ' on trial' : '';
  const cause = 'cause' in worker ? ` (${worker.cause})` : '';
  return `${worker.phase}${trial}${cause}`;
}
