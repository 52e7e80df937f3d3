import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS } from '../../../shared/contract/error-codes.ts';
import { FailureError, fail, formatFailure, succeed } from '../../../shared/contract/outcome.ts';

const { sentence, hint } = ERRORS.TASK_NOT_FOUND;

test('a success carries its value', () => {
  assert.deepEqual(succeed(7), { ok: true, value: 7 });
});

test('a failure carries its code and what was seen', () => {
  assert.deepEqual(fail('TASK_NOT_FOUND', 'Seen.'), {
    ok: false,
    failure: { code: 'TASK_NOT_FOUND', detail: 'Seen.' },
  });
});

const ROWS: readonly (readonly [title: string, detail: string, expected: string])[] = [
  ['with what was seen', 'It was x.', `TASK_NOT_FOUND: ${sentence} It was x. ${hint}`],
  ['without a hole where nothing was seen', '', `TASK_NOT_FOUND: ${sentence} ${hint}`],
  ['on one line', 'a\n\n b\t c', `TASK_NOT_FOUND: ${sentence} a b c ${hint}`],
];
for (const [title, detail, expected] of ROWS)
  test(`a failure reads ${title}`, () =>
    assert.equal(formatFailure({ code: 'TASK_NOT_FOUND', detail }), expected));

test('a failure that is thrown keeps its code and its cause', () => {
  const cause = new Error('below');
  const failure = { code: 'TASK_NOT_FOUND', detail: 'It was x.' } as const;
  const error = new FailureError(failure, { cause });
  assert.equal(error.message, formatFailure(failure));
  assert.equal(error.failure, failure);
  assert.equal(error.cause, cause);
  assert.equal(error.name, 'FailureError');
});
