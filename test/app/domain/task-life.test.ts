import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type FinalStatus,
  isFinal,
  MAX_ATTEMPTS,
  TASK_STATUSES,
  type TaskStatus,
} from '../../../app/domain/task.ts';
import {
  rightsOf,
  stepTask,
  type TaskEvent,
  type TaskLife,
} from '../../../app/domain/task-life.ts';

const FINAL = TASK_STATUSES.filter(isFinal);

const lives: fc.Arbitrary<TaskLife> = fc.record({
  status: fc.constantFrom(...TASK_STATUSES),
  attempts: fc.nat(7),
  deferrals: fc.nat(3),
  isClaimed: fc.boolean(),
  isStopRequested: fc.boolean(),
});

/** What can be said of a task; of its own attempt or of another one. */
const events = (life: TaskLife): fc.Arbitrary<TaskEvent> => {
  const attempt = fc.constantFrom(life.attempts, life.attempts, life.attempts - 1);
  const of = <K extends string>(kind: K) => attempt.map((one) => ({ kind, attempt: one }) as const);
  return fc.oneof(
    fc.constant({ kind: 'dispatch' } as const),
    fc.constant({ kind: 'request-stop' } as const),
    of('claim'),
    of('release'),
    of('defer'),
    of('force-stop'),
    fc
      .tuple(attempt, fc.constantFrom(...FINAL))
      .map(([one, status]) => ({ kind: 'finish', attempt: one, status }) as const),
    fc
      .tuple(attempt, fc.boolean())
      .map(([one, isOpen]) => ({ kind: 'lost', attempt: one, isOpen }) as const),
  );
};

const PENDING: TaskLife = {
  status: 'pending',
  attempts: 0,
  deferrals: 0,
  isClaimed: false,
  isStopRequested: false,
};
const RUNNING: TaskLife = { ...PENDING, status: 'running', attempts: 1 };

/** The state after an event, or why there is none. */
function outcome(life: TaskLife, event: TaskEvent): TaskStatus | string {
  const step = stepTask(life, event);
  return step.kind === 'next' ? step.life.status : step.why;
}

describe('the life of a task', () => {
  test('has an answer to every event in every state; nothing leaves a final one', () => {
    fc.assert(
      fc.property(
        lives.chain((life) => fc.tuple(fc.constant(life), events(life))),
        ([life, event]) => {
          const step = stepTask(life, event);
          if (isFinal(life.status)) assert.deepEqual(step, { kind: 'refused', why: 'ended' });
          else if ('attempt' in event && event.attempt !== life.attempts) {
            assert.deepEqual(step, { kind: 'refused', why: 'stale' });
          }
          if (step.kind === 'refused') return;
          assert.ok(step.life.attempts - life.attempts === (event.kind === 'dispatch' ? 1 : 0));
          assert.ok(!life.isStopRequested || step.life.isStopRequested);
        },
      ),
      { numRuns: 2000 },
    );
  });

  const TABLE: readonly [event: TaskEvent, pending: string, running: string][] = [
    [{ kind: 'dispatch' }, 'running', 'running'],
    [{ kind: 'claim', attempt: 1 }, 'not-running', 'running'],
    [{ kind: 'release', attempt: 1 }, 'not-running', 'pending'],
    [{ kind: 'defer', attempt: 1 }, 'not-running', 'pending'],
    [{ kind: 'request-stop' }, 'pending', 'running'],
    [{ kind: 'force-stop', attempt: 1 }, 'cancelled', 'cancelled'],
    [{ kind: 'lost', attempt: 1, isOpen: false }, 'not-running', 'pending'],
    ...FINAL.map(
      (status: FinalStatus) => [{ kind: 'finish', attempt: 1, status }, status, status] as const,
    ).map(([event, pending, running]): [TaskEvent, string, string] => [event, pending, running]),
  ];
  for (const [event, pending, running] of TABLE) {
    test(`${JSON.stringify(event)} makes ${pending} of pending, ${running} of running`, () => {
      assert.equal(outcome({ ...PENDING, attempts: 1 }, event), pending);
      assert.equal(outcome(RUNNING, event), running);
    });
  }

  test('is taken once, dispatched once and asked to stop once', () => {
    assert.equal(outcome({ ...RUNNING, isClaimed: true }, { kind: 'claim', attempt: 1 }), 'taken');
    assert.equal(stepTask(RUNNING, { kind: 'dispatch' }).kind, 'refused');
    assert.equal(outcome({ ...RUNNING, isStopRequested: true }, { kind: 'request-stop' }), 'asked');
  });

  test('is carried on when its process is lost, until that was too often', () => {
    const lost = (attempts: number, deferrals: number, isOpen: boolean) =>
      outcome({ ...RUNNING, attempts, deferrals }, { kind: 'lost', attempt: attempts, isOpen });
    assert.equal(lost(MAX_ATTEMPTS - 1, 0, false), 'pending');
    assert.equal(lost(MAX_ATTEMPTS, 0, false), 'failed');
    assert.equal(lost(MAX_ATTEMPTS + 1, 2, false), 'pending');
    assert.equal(lost(MAX_ATTEMPTS, 0, true), 'pending');
  });

  test('tells what a person may do with it', () => {
    const rights = (life: TaskLife, isRepeatable = true) =>
      Object.values(rightsOf(life, isRepeatable));
    assert.deepEqual(rights(PENDING), [true, true, false]);
    assert.deepEqual(rights({ ...RUNNING, isStopRequested: true }), [true, true, false]);
    for (const status of FINAL) {
      assert.deepEqual(rights({ ...RUNNING, status }), [false, false, true]);
      assert.deepEqual(rights({ ...RUNNING, status }, false), [false, false, false]);
    }
  });
});
