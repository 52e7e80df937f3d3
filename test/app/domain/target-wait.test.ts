import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideTargetWait } from '../../../app/domain/target-wait.ts';

test('a host that is out of reach is waited for longer and longer, for more than a day, and not for ever', () => {
  assert.deepEqual(
    [0, 1, 6, 7, 39].map(decideTargetWait),
    [30_000, 60_000, 1_920_000, 3_600_000, 3_600_000],
  );
  assert.equal(decideTargetWait(40), undefined);
  const waits = Array.from({ length: 40 }, (_, before) => decideTargetWait(before) ?? 0);
  assert.ok(waits.reduce((sum, ms) => sum + ms, 0) > 24 * 3_600_000);
});
