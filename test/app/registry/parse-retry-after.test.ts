import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRetryAfter } from '../../../app/registry/parse-retry-after.ts';

const NOW = Date.UTC(2026, 9, 21, 7, 28, 0);

describe('Retry-After', () => {
  for (const [value, expected] of [
    ['0', 0],
    ['120', 120_000],
    ['999999999', 999_999_999_000],
    ['Wed, 21 Oct 2026 07:28:30 GMT', 30_000],
    ['Wed, 21 Oct 2026 07:00:00 GMT', 0],
    ['1000000000', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['', undefined],
    ['120, 130', undefined],
    ['Wed, 41 Oct 2026 07:28:30 GMT', undefined],
    ['Wed, 21 Oct 2026 07:28:30 CET', undefined],
    ['2026-10-21T07:28:30Z', undefined],
    ['soon', undefined],
  ] as const)
    test(`"${value}" is ${expected} ms`, () => assert.equal(parseRetryAfter(value, NOW), expected));
});
