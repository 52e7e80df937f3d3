import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Event } from '../../../supervisor/core/event.ts';
import type { Inputs, Step } from '../../../supervisor/core/moves.ts';
import { INITIAL_STATE, type State } from '../../../supervisor/core/state.ts';
import { step } from '../../../supervisor/core/step.ts';
import { anyWalk, type Happening, POLICY } from './walks.ts';

const BEGIN: Happening = { event: { kind: 'start' }, afterMs: 0, random: 0.5 };

test('there are never two workers at once', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      let workers = 0;
      follow([BEGIN, ...walk], (event, next) => {
        if (event.kind === 'worker-exited' || event.kind === 'spawn-failed') workers = 0;
        for (const effect of next.effects) if (effect.kind === 'start-worker') workers += 1;
        assert.ok(workers <= 1);
      });
    }),
  );
});

test('whatever came before, a stop leads to the end once the worker is gone', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      let { state, nowMs } = follow([BEGIN, ...walk], () => {});
      const effects: string[] = [];
      const then = (event: Event, afterMs: number) => {
        nowMs += afterMs;
        const next = step(state, event, { nowMs, random: 0 }, POLICY);
        state = next.state;
        effects.push(...next.effects.map((effect) => effect.kind));
      };
      const wasStopped = state.phase === 'stopped';
      then({ kind: 'stop-requested', signal: 'SIGTERM' }, 0);
      // The worker hears nothing: the deadline must have it killed, and only then does it end.
      then({ kind: 'timer-fired', timer: 'stop-deadline' }, POLICY.stopTimeoutMs);
      then({ kind: 'worker-exited', code: null, signal: 'SIGKILL', adopted: false }, 1);
      assert.equal(state.phase, 'stopped');
      assert.ok(wasStopped || effects.includes('exit'));
      assert.ok(!effects.includes('start-worker'));
    }),
  );
});

test('every end is announced exactly once, and nothing is done after it', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      let exits = 0;
      follow([BEGIN, ...walk], (_event, next) => {
        assert.ok(exits === 0 || next.effects.length === 0);
        exits += next.effects.filter((effect) => effect.kind === 'exit').length;
      });
      assert.ok(exits <= 1);
    }),
  );
});

test('a wait is never shorter than four fifths of the first one nor longer than the longest', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow([BEGIN, ...walk], (event, next, inputs) => {
        if (next.state.phase !== 'backing-off' || event.kind === 'timer-fired') return;
        const waitMs = next.state.untilMs - inputs.nowMs;
        if (next.effects.length === 0) return;
        assert.ok(waitMs >= POLICY.backoffInitialMs * 0.8 && waitMs <= POLICY.backoffMaxMs);
      });
    }),
  );
});

test('a worker is restarted without a wait at most three times a minute when nobody reloads', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      const atOnce: number[] = [];
      const asks = ['reload-requested', 'resume'];
      const unasked = walk.filter(({ event }) => !asks.includes(event.kind));
      follow([BEGIN, ...unasked], (event, next, { nowMs }) => {
        const starts = next.effects.some((effect) => effect.kind === 'start-worker');
        if (starts && event.kind === 'worker-exited') atOnce.push(nowMs);
        assert.ok(atOnce.filter((atMs) => atMs > nowMs - 60_000).length <= 3);
      });
    }),
  );
});

test('a worker on trial is started only where that was asked for, and is never restarted unasked', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      let isAsked = false;
      follow([BEGIN, ...walk], (event, next) => {
        if (event.kind === 'resume') isAsked = event.trial;
        const started = next.effects.find((effect) => effect.kind === 'start-worker');
        if (!started?.trial) return;
        assert.ok(isAsked);
        assert.ok(event.kind === 'resume' || endsWanted(event), event.kind);
      });
    }),
  );
});

test('whenever no worker is wanted, the update hears of it once the worker is gone', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      const { state, nowMs } = follow([BEGIN, ...walk], () => {});
      const inputs = { nowMs, random: 0 };
      const isOver = state.phase === 'stopped' || isShuttingDown(state);
      const first = step(state, { kind: 'suspend' }, inputs, POLICY);
      const gone = { kind: 'worker-exited', code: 0, signal: null, adopted: false } as const;
      const then = step(first.state, gone, inputs, POLICY);
      const told = [...first.effects, ...then.effects].filter(({ kind }) => kind === 'signal');
      assert.deepEqual(
        told,
        isOver ? [] : [{ kind: 'signal', signal: { kind: 'worker-suspended' } }],
      );
    }),
  );
});

test('every state survives a round trip through JSON', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow([BEGIN, ...walk], (_event, next) => {
        assert.deepEqual(JSON.parse(JSON.stringify(next.state)), next.state);
      });
    }),
  );
});

/** The end of a worker that was being stopped and is wanted again. */
function endsWanted({ kind }: Event): boolean {
  return kind === 'worker-exited' || kind === 'spawn-failed';
}

function isShuttingDown(state: State): boolean {
  return state.phase === 'stopping' && state.cause === 'shutdown';
}

/** Walks from the initial state and hands each step to `look`. */
function follow(
  walk: readonly Happening[],
  look: (event: Event, next: Step, inputs: Inputs) => void,
): { state: State; nowMs: number } {
  let state = INITIAL_STATE;
  let nowMs = 0;
  for (const { event, afterMs, random } of walk) {
    nowMs += afterMs;
    const inputs = { nowMs, random };
    const next = step(state, event, inputs, POLICY);
    state = next.state;
    look(event, next, inputs);
  }
  return { state, nowMs };
}
