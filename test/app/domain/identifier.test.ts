import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIdentifier, isTaskId } from '../../../app/domain/identifier.ts';

/** Nine characters of 32 values each: the year 3084. */
const times = fc.integer({ min: 0, max: 32 ** 9 - 1 });
const randoms = fc.uint8Array({ minLength: 10, maxLength: 10 });

test('time and randomness stand in fixed places, in letters that do not read alike', () => {
  const random = Uint8Array.of(0, 1, 9, 10, 17, 18, 20, 27, 31, 32);
  assert.equal(formatIdentifier('dlv', 31 * 32 + 10, random), 'dlv_0000000za019ahjmvz0');
});

test('random bytes that are missing count as zero', () => {
  assert.equal(formatIdentifier('req', 0, new Uint8Array()), `req_${'0'.repeat(19)}`);
});

test('identifiers sort by the time they were made, whatever the randomness', () => {
  fc.assert(
    fc.property(times, times, randoms, randoms, (a, b, one, other) => {
      fc.pre(a < b);
      assert.ok(formatIdentifier('tsk', a, one) < formatIdentifier('tsk', b, other));
    }),
  );
});

test('every identifier of a task has the form of one', () => {
  fc.assert(
    fc.property(times, randoms, (nowMs, random) =>
      assert.ok(isTaskId(formatIdentifier('tsk', nowMs, random))),
    ),
  );
});

const NONE = [
  '',
  'tsk_',
  `tsk_${'0'.repeat(18)}`,
  `tsk_${'0'.repeat(20)}`,
  `dlv_${'0'.repeat(19)}`,
  `tsk_${'i'.repeat(19)}`,
  `tsk_${'l'.repeat(19)}`,
  `tsk_${'o'.repeat(19)}`,
  `tsk_${'u'.repeat(19)}`,
  `tsk_${'A'.repeat(19)}`,
  `tsk_${'0'.repeat(18)}/`,
  `tsk_${'0'.repeat(19)}\n`,
  ` tsk_${'0'.repeat(19)}`,
];
for (const text of NONE)
  test(`${JSON.stringify(text)} is no identifier of a task`, () =>
    assert.equal(isTaskId(text), false));
