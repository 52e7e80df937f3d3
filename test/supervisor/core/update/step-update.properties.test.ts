import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { UpdateRecord } from '../../../../shared/contract/update-record.ts';
import type { UpdateEvent, UpdateStep } from '../../../../supervisor/core/update/machine.ts';
import { recover } from '../../../../supervisor/core/update/recover.ts';
import { stepUpdate } from '../../../../supervisor/core/update/step-update.ts';
import { SITUATIONS } from './fixture.ts';
import { anyContext, anyFound, anyUpdateEvent } from './walks.ts';

/** Whatever is found, then whatever happens in whatever order. */
const anyWalk = fc.record({
  found: anyFound,
  context: anyContext,
  happenings: fc.array(fc.tuple(anyUpdateEvent, anyContext), { maxLength: 60 }),
});
type Walk = typeof anyWalk extends fc.Arbitrary<infer T> ? T : never;

const RUNS = { numRuns: 1_000 };

/** Follows a walk and hands each step to `look`, with the record that was open before it. */
function follow(
  { found, context, happenings }: Walk,
  look: (step: UpdateStep, before: UpdateRecord | null, event: UpdateEvent | undefined) => void,
): void {
  let step = recover(found, context);
  look(step, found.record, undefined);
  for (const [event, now] of happenings) {
    const before = recordOf(step);
    step = stepUpdate(step.machine, event, now);
    look(step, before, event);
  }
}

function recordOf({ machine: { work } }: UpdateStep): UpdateRecord | null {
  return work.kind === 'open' ? work.record : null;
}

/** Each effect with the record that is durable when it begins. */
function withDurable({ effects }: UpdateStep, before: UpdateRecord | null) {
  let durable = before;
  return effects.map((effect) => {
    if (effect.kind === 'persist') durable = effect.record;
    return [effect, durable] as const;
  });
}

test('no order of events is undecided, and what is waited for fits the state of the record', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow(walk, ({ machine: { work, isStopping } }) => {
        if (work.kind !== 'open' || isStopping) return;
        const { record, doing } = work;
        assert.ok(
          (SITUATIONS[record.state] as readonly string[]).includes(doing.what),
          `${record.state}/${doing.what}`,
        );
      });
    }),
    RUNS,
  );
});

test('every state survives a round trip through JSON', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow(walk, ({ machine }) => {
        // Objects of the generator may have no prototype; a clone differs from the original in nothing else.
        assert.deepEqual(JSON.parse(JSON.stringify(machine)), structuredClone(machine));
      });
    }),
  );
});

test('each record that is written is newer than the one before, but where a person begins anew', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow(walk, ({ effects }, before) => {
        let last = before;
        for (const effect of effects) {
          if (effect.kind !== 'persist') continue;
          const isSame = last?.txn === effect.record.txn;
          // What is written again is what the disk refused.
          if (last && isSame && last.state !== 'held') {
            assert.ok(effect.record.seq >= last.seq);
          }
          last = effect.record;
        }
      });
    }),
    RUNS,
  );
});

test('a record that is proven never goes back, and one that went back is never proven', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow(walk, (step, before) => {
        const after = recordOf(step);
        if (!before || !after || before.txn !== after.txn) return;
        if (before.state === 'committing' || before.state === 'rolled-back') {
          assert.equal(after.state, before.state);
        }
        if (before.state === 'aborting') assert.equal(after.state, 'aborting');
        if (before.state === 'rolling-back' || before.state === 'held') {
          assert.ok(['rolling-back', 'rolled-back', 'held'].includes(after.state));
        }
      });
    }),
    RUNS,
  );
});

test('a database that was put back stays so in the record', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow(walk, (step, before) => {
        const after = recordOf(step);
        if (before?.database.restored && after?.txn === before.txn) {
          assert.ok(after.database.restored);
          assert.ok(!step.effects.some(({ kind }) => kind === 'settle-database'));
        }
      });
    }),
    RUNS,
  );
});

test('nothing is done about the program or the database before the record says so', () => {
  const STATES = {
    'back-up': ['backing-up'],
    'switch-program': ['switching'],
    'restore-wanted': ['switching'],
    'restore-program': ['rolling-back'],
    'settle-database': ['rolling-back'],
    execute: ['handing-over', 'rolling-back'],
  } as const;
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow(walk, (step, before) => {
        // A disk that refuses the record is passed over on the way back only.
        if (recordOf(step)?.state === 'rolling-back') return;
        for (const [effect, durable] of withDurable(step, before)) {
          if (!(effect.kind in STATES)) continue;
          const allowed: readonly string[] = STATES[effect.kind as keyof typeof STATES];
          assert.ok(allowed.includes(durable?.state ?? ''), effect.kind);
        }
      });
    }),
    RUNS,
  );
});

test('a worker on trial is started only where the record that is durable then says so', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow(walk, (step, before, event) => {
        if (event?.kind === 'persist-failed') return;
        for (const [effect, durable] of withDurable(step, before)) {
          if (effect.kind !== 'resume-worker' || !effect.trial) continue;
          const state = durable?.state ?? '';
          assert.ok(['trial', 'handing-over', 'rolling-back'].includes(state));
          assert.ok(state !== 'trial' || durable?.database.newVersionStarted);
        }
      });
    }),
    RUNS,
  );
});

test('every request gets an answer or is looked into', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow(walk, (step, _before, event) => {
        if (event?.kind !== 'request') return;
        const { id } = event.request;
        const isAnswered = step.effects.some(
          (effect) =>
            (effect.kind === 'answer' && effect.id === id) ||
            (effect.kind === 'save-policy' && effect.requestId === id) ||
            effect.kind === 'identify',
        );
        assert.ok(isAnswered);
      });
    }),
    RUNS,
  );
});

test('a service that is being stopped begins no act, and starts no worker on trial', () => {
  const ACTS = ['stage', 'back-up', 'switch-program', 'execute', 'restore-program', 'identify'];
  fc.assert(
    fc.property(anyWalk, (walk) => {
      let isStopping = false;
      follow(walk, ({ machine, effects }) => {
        if (isStopping) {
          for (const effect of effects) {
            assert.ok(!ACTS.includes(effect.kind));
            assert.ok(effect.kind !== 'resume-worker' || !effect.trial);
          }
        }
        isStopping = machine.isStopping;
      });
    }),
    RUNS,
  );
});

test('no walk takes a record beyond the numbers that its format allows', () => {
  fc.assert(
    fc.property(anyWalk, (walk) => {
      follow(walk, (step) => {
        const record = recordOf(step);
        if (!record) return;
        const { stagingLeft, triesLeft, handOversLeft, rollbackAttempts, steps, warnings } = record;
        for (const count of [stagingLeft, triesLeft, handOversLeft, rollbackAttempts]) {
          assert.ok(count >= 0 && count <= 3);
        }
        assert.ok(steps.length <= 200 && warnings.length <= 50);
      });
    }),
    RUNS,
  );
});
