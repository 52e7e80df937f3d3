import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { chooseLocks, createUnitLocks } from '../../../app/tasks/unit-locks.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const NEVER = new AbortController().signal;

describe('the locks of what is restarted together', () => {
  test('are taken in one order, each once', () => {
    const names = ['c.service', 'a.service', 'b.service', 'a.service'];
    const numbers = chooseLocks(names);
    assert.deepEqual(numbers, [...new Set(numbers)]);
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
    assert.deepEqual(numbers, chooseLocks([...names].reverse()));
  });

  test('keep those apart that have a unit in common, and no others', async (t) => {
    const lockUnits = createUnitLocks(join(makeTempFolder(t), 'units'), 60_000, NEVER);
    const order: string[] = [];
    const first = await lockUnits(['a.service', 'pod.service'], NEVER);
    assert.deepEqual([first.isHeld, first.hasWaited], [true, false]);
    const second = lockUnits(['b.service', 'pod.service'], NEVER).then((lock) => {
      order.push('second');
      return lock;
    });
    const other = await lockUnits(['other.service'], NEVER);
    assert.deepEqual([other.isHeld, other.hasWaited], [true, false]);
    order.push('released');
    first.release();
    const waited = await second;
    assert.deepEqual([waited.isHeld, waited.hasWaited], [true, true]);
    waited.release();
    other.release();
    assert.deepEqual(order, ['released', 'second']);
  });

  test('that are not to be had in time, or are not waited for any more, leave none held', async (t) => {
    const folder = join(makeTempFolder(t), 'units');
    const held = await createUnitLocks(folder, 60_000, NEVER)(['z.service'], NEVER);
    const late = await createUnitLocks(folder, 1, NEVER)(['a.service', 'z.service'], NEVER);
    assert.equal(late.isHeld, false);
    const stop = new AbortController();
    const cut = createUnitLocks(folder, 60_000, NEVER)(['a.service', 'z.service'], stop.signal);
    stop.abort();
    assert.equal((await cut).isHeld, false);
    const free = await createUnitLocks(folder, 1, NEVER)(['a.service'], NEVER);
    assert.equal(free.isHeld, true);
    free.release();
    held.release();
  });
});
