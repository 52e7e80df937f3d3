import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TaskRow, TaskTable } from '../../../app/db/tasks.ts';
import { decideLost, isFinal, TASK_STATUSES } from '../../../app/domain/task.ts';
import { stepTask, type TaskEvent } from '../../../app/domain/task-life.ts';
import { lifeOf } from '../../../app/tasks/task-view.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const FINAL = TASK_STATUSES.filter(isFinal);
const ID = 'tsk_1';

/** `back` attempts behind the current one speaks whoever says it. */
type Said = { readonly kind: TaskEvent['kind']; readonly back: number; readonly pick: number };

const said: fc.Arbitrary<Said> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('dispatch', 'claim', 'release', 'defer') },
    { weight: 4, arbitrary: fc.constantFrom('lost', 'request-stop') },
    { weight: 1, arbitrary: fc.constantFrom('finish', 'force-stop') },
  ) as fc.Arbitrary<TaskEvent['kind']>,
  back: fc.constantFrom(0, 0, 0, 1),
  pick: fc.nat(99),
});

function toEvent({ kind, back, pick }: Said, row: TaskRow): TaskEvent {
  const attempt = row.attempts - back;
  const status = FINAL[pick % FINAL.length] ?? 'failed';
  switch (kind) {
    case 'finish':
      return { kind, attempt, status };
    case 'lost':
      return { kind, attempt, isOpen: pick % 2 === 0 };
    case 'dispatch':
    case 'request-stop':
      return { kind };
    case 'claim':
    case 'release':
    case 'defer':
    case 'force-stop':
      return { kind, attempt };
  }
}

/** Does in the table what the event stands for; whether anything has changed. */
function carryOut(tasks: TaskTable, event: TaskEvent, row: TaskRow, at: number): boolean {
  const run = { id: ID, attempts: 'attempt' in event ? event.attempt : row.attempts };
  switch (event.kind) {
    case 'dispatch':
      return tasks.markDispatched(ID, 'child', at);
    case 'claim':
      return tasks.claim(run, at);
    case 'release':
      return tasks.release(run, at);
    case 'defer':
      return tasks.defer(run, at + 5, at);
    case 'finish':
      return tasks.finish(run, { status: event.status, summary: 'x', at });
    case 'request-stop':
      return tasks.requestStop(ID, 'somebody', at);
    case 'force-stop': {
      const why = { errorCode: 'TASK_FORCE_STOPPED', errorDetail: 'x' } as const;
      return tasks.forceStop(run, { by: 'somebody', summary: 'x', ...why, at });
    }
    case 'lost':
      // What the dispatcher does of a task that it has found running.
      if (row.status !== 'running') return false;
      return decideLost(row.attempts - row.deferrals, event.isOpen) === 'resume'
        ? tasks.release(run, at)
        : tasks.finish(run, { status: 'failed', summary: 'x', at });
  }
}

test('over random events the table and the life of a task say the same', (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  const { tasks } = store;
  const undo = new Error('undo');
  const find = () => tasks.find(ID) as TaskRow;
  const seen = new Set<string>();
  const live = (sequence: readonly Said[]) => {
    tasks.insert(newTask({ id: ID }));
    sequence.forEach((one, index) => {
      const row = find();
      const event = toEvent(one, row);
      const step = stepTask(lifeOf(row), event);
      const hasChanged = carryOut(tasks, event, row, 100 + index);
      const text = `${JSON.stringify(event)} of ${JSON.stringify(lifeOf(row))}`;
      assert.equal(hasChanged, step.kind === 'next', text);
      const life = step.kind === 'next' ? step.life : lifeOf(row);
      assert.deepEqual(lifeOf(find()), life, text);
      if (step.kind === 'refused') assert.deepEqual(find(), row, text);
      seen.add(`${event.kind} ${step.kind === 'next' ? life.status : step.why}`);
    });
    throw undo;
  };
  fc.assert(
    fc.property(fc.array(said, { maxLength: 25, size: 'max' }), (sequence) => {
      try {
        store.transact(() => live(sequence));
      } catch (error) {
        if (error !== undo) throw error;
      }
    }),
    { numRuns: 3_000 },
  );
  // Nothing is proven of what did not happen.
  for (const rare of ['force-stop cancelled', 'lost failed', 'claim taken', 'finish stale'])
    assert.ok(seen.has(rare), `never: ${rare}`);
});
