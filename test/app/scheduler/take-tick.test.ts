import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, type TestContext, test } from 'node:test';
import { openStore } from '../../../app/db/store.ts';
import { everyInterval } from '../../../app/domain/schedule.ts';
import { isAlive, processMark } from '../../../app/scheduler/process-mark.ts';
import { type Beginning, lastDueOf, takeTick } from '../../../app/scheduler/take-tick.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const MINUTE = 60_000;
const JOB = {
  name: 'prune' as const,
  timing: { times: everyInterval(MINUTE), share: 0, spreadMs: 0 },
};
const CALL: Beginning = { kind: 'call' };

/** Two connections to one database, as two processes have them. */
function openTwice(context: TestContext) {
  const { store, path } = openTestStore(context, makeTempFolder(context));
  const other = openStore(path, { version: '0', nowMs: 0 });
  assert.ok(other.ok);
  context.after(() => other.value.close());
  return [store, other.value] as const;
}

const take = (
  store: Parameters<typeof takeTick>[0],
  nowMs: number,
  beginning: Beginning = CALL,
  mark = processMark(),
) => takeTick(store, JOB, { mark, nowMs, begin: () => beginning })?.dueAt;

/** The mark of a process that has been. */
function deadMark(): string {
  const script = "process.stdout.write(require('fs').readFileSync('/proc/self/stat', 'utf8'))";
  const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  const [pid] = stdout.split(' ');
  const start = stdout.slice(stdout.lastIndexOf(')') + 2).split(' ')[19];
  return `${pid}.${start}.${processMark().split('.')[2]}`;
}

describe('a tick', () => {
  test('is taken by one of two, with its task in the same transaction', (t) => {
    const [one, other] = openTwice(t);
    one.tasks.insert(newTask());
    const now = 10 * MINUTE;
    assert.equal(take(one, now, { kind: 'task', taskId: 'tsk_1' }), now);
    assert.equal(take(other, now, { kind: 'task', taskId: 'tsk_1' }), undefined);
    assert.equal(take(other, now + MINUTE, { kind: 'task', taskId: 'tsk_1' }), now + MINUTE);
  });

  test('is not taken where its task cannot be made', (t) => {
    const [store] = openTwice(t);
    const begin = () => {
      throw new Error('no');
    };
    const mark = processMark();
    assert.throws(() => takeTick(store, JOB, { mark, nowMs: 10 * MINUTE, begin }));
    assert.equal(store.schedule.find('prune'), undefined);
    assert.equal(take(store, 10 * MINUTE), 10 * MINUTE);
  });

  test('is due since the database is there, or since ever where that is said', (t) => {
    const [store] = openTwice(t);
    const young = { ...store, madeAt: 10 * MINUTE + 5 };
    assert.equal(take(young, 10 * MINUTE + 9), undefined);
    const never = Number.NEGATIVE_INFINITY;
    const claimer = { mark: processMark(), nowMs: 10 * MINUTE + 9, never, begin: () => CALL };
    assert.equal(takeTick(young, JOB, claimer)?.dueAt, 10 * MINUTE);
  });

  test('is held while its process lives, and is due again when that has died before the end', (t) => {
    const [one, other] = openTwice(t);
    const now = 10 * MINUTE;
    assert.equal(take(one, now), now);
    assert.equal(take(other, now + 3 * MINUTE), undefined, 'it still goes on');
    one.schedule.end(
      { job: 'prune', due_at: now, claimed_by: processMark() },
      { at: now, result: 'done', error_code: null },
    );
    const mark = deadMark();
    assert.equal(isAlive(mark), false);
    assert.equal(take(one, now + MINUTE, CALL, mark), now + MINUTE);
    assert.equal(lastDueOf(other, 'prune'), now + MINUTE - 1);
    assert.equal(take(other, now + MINUTE), now + MINUTE);
  });

  test('that another has taken over is not ended by the one before', (t) => {
    const [one, other] = openTwice(t);
    const mark = deadMark();
    take(one, MINUTE, CALL, mark);
    take(other, MINUTE);
    one.schedule.end(
      { job: 'prune', due_at: MINUTE, claimed_by: mark },
      { at: MINUTE, result: 'late', error_code: null },
    );
    assert.equal(other.schedule.find('prune')?.ended_at, null);
  });

  test('is marked by a process that no other is taken for', () => {
    const mark = processMark();
    assert.equal(isAlive(mark), true);
    const [pid, start, boot] = mark.split('.');
    assert.equal(isAlive(`${pid}.${Number(start) - 1}.${boot}`), false);
    assert.equal(isAlive(`${pid}.${start}.another-boot`), false);
  });
});
