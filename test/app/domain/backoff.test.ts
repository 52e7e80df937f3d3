import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from '../../../app/domain/backoff.ts';

test('a pause doubles with each try, by half more or less', () => {
  assert.deepEqual(
    [1, 2, 3].map((tries) => backoffMs(500, tries, 0.5)),
    [500, 1_000, 2_000],
  );
  assert.deepEqual([backoffMs(500, 2, 0), backoffMs(500, 2, 1)], [500, 1_500]);
});
