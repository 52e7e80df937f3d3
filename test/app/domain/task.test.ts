import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideLost, isFinal, MAX_ATTEMPTS, TASK_STATUSES } from '../../../app/domain/task.ts';

test('every state but the first two is final', () => {
  assert.deepEqual(
    TASK_STATUSES.filter((status) => !isFinal(status)),
    ['pending', 'running'],
  );
});

for (const [attempts, expected] of [
  [0, 'resume'],
  [MAX_ATTEMPTS - 1, 'resume'],
  [MAX_ATTEMPTS, 'close'],
  [MAX_ATTEMPTS + 1, 'close'],
] as const)
  test(`a task whose process vanished after ${attempts} attempts: ${expected}`, () =>
    assert.equal(decideLost(attempts), expected));
