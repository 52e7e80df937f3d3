import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createPullLocks, pullLockFile } from '../../../app/tasks/pull-locks.ts';
import { makeFolder } from '../http/http-fixture.ts';

const NEVER = new AbortController().signal;
const NAME = `ghcr.io/o/web@sha256:${'0a'.repeat(32)}`;
/** Nobody waits as long as that in these tests. */
const LONG_MS = 15_000;

describe('pull locks', () => {
  test('one at a time for an image, and the next is told that it has waited', async (t) => {
    const lockPull = createPullLocks(join(makeFolder(t), 'pulls'), NEVER);
    const first = await lockPull(NAME, LONG_MS, NEVER);
    assert.equal(first?.hasWaited, false);
    const second = lockPull(NAME, LONG_MS, NEVER);
    first.release();
    const won = await second;
    assert.equal(won?.hasWaited, true);
    won.release();
  });

  test('another image is not waited for', async (t) => {
    const folder = makeFolder(t);
    const other = `${NAME.slice(0, -2)}ff`;
    assert.notEqual(pullLockFile(folder, NAME), pullLockFile(folder, other));
    const lockPull = createPullLocks(folder, NEVER);
    const held = [await lockPull(NAME, 0, NEVER), await lockPull(other, 0, NEVER)];
    assert.deepEqual(
      held.map((lock) => lock?.hasWaited),
      [false, false],
    );
    for (const lock of held) lock?.release();
  });

  test('nobody waits longer than for one pull', async (t) => {
    const lockPull = createPullLocks(makeFolder(t), NEVER);
    const held = await lockPull(NAME, 0, NEVER);
    assert.equal(await lockPull(NAME, 30, NEVER), undefined);
    held?.release();
  });

  for (const who of ['a person', 'the end of the process']) {
    test(`a wait is cut short by ${who}`, async (t) => {
      const [ending, stop] = [new AbortController(), new AbortController()];
      const lockPull = createPullLocks(makeFolder(t), ending.signal);
      const held = await lockPull(NAME, 0, NEVER);
      const waiting = lockPull(NAME, LONG_MS, stop.signal);
      (who === 'a person' ? stop : ending).abort();
      // Whoever still waits would get it now.
      held?.release();
      assert.equal(await waiting, undefined);
    });
  }

  test('a folder that cannot be had costs nothing but the lock', async (t) => {
    const file = join(makeFolder(t), 'file');
    writeFileSync(file, '');
    assert.equal(await createPullLocks(join(file, 'pulls'), NEVER)(NAME, 0, NEVER), undefined);
  });
});
