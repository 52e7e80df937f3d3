import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createSweeps } from '../../../app/domain/sweeps.ts';

/** Sweeps whose ends the test gives. */
function start() {
  const ends: PromiseWithResolvers<void>[] = [];
  const errors: unknown[] = [];
  const sweeps = createSweeps(
    () => {
      const end = Promise.withResolvers<void>();
      ends.push(end);
      return end.promise;
    },
    (error) => errors.push(error),
  );
  return { sweeps, ends, errors };
}

describe('sweeps', () => {
  test('are one at a time, and one more however often it is asked for meanwhile', async () => {
    const { sweeps, ends } = start();
    for (let times = 0; times < 3; times++) sweeps.look();
    assert.equal(ends.length, 1);
    ends[0]?.resolve();
    await turn();
    assert.equal(ends.length, 2);
    ends[1]?.resolve();
    await turn();
    assert.equal(ends.length, 2);
  });

  test('go on behind one that failed, which is told', async () => {
    const { sweeps, ends, errors } = start();
    sweeps.look();
    sweeps.look();
    ends[0]?.reject('ill');
    await turn();
    assert.deepEqual([errors, ends.length], [['ill'], 2]);
  });

  test('are closed when the one that runs has ended, and no further one begins', async () => {
    const { sweeps, ends } = start();
    sweeps.look();
    sweeps.look();
    let isClosed = false;
    const closed = sweeps.close().then(() => {
      isClosed = true;
    });
    await turn();
    assert.equal(isClosed, false);
    ends[0]?.resolve();
    await closed;
    sweeps.look();
    await turn();
    assert.equal(ends.length, 1);
    assert.equal(sweeps.isClosed(), true);
  });
});
