import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACK_ATTEMPTS, FORWARD_ATTEMPTS } from '../../../app/domain/deployment.ts';
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

const MAX_OPEN = FORWARD_ATTEMPTS + BACK_ATTEMPTS;
for (const [attempts, expected] of [
  [MAX_ATTEMPTS, 'resume'],
  [MAX_OPEN - 1, 'resume'],
  [MAX_OPEN, 'close'],
  [MAX_OPEN + 1, 'close'],
] as const)
  test(`one that has touched its unit, after ${attempts} attempts: ${expected}`, () =>
    assert.equal(decideLost(attempts, true), expected));
