import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { countExpired } from '../../../app/domain/event-retention.ts';

const NOW = 1_000;
/** Events older than 900 go. */
const MAX_AGE_MS = 100;

describe('of the oldest events', () => {
  const ROWS: readonly [title: string, oldest: number[], kept: number, max: number, n: number][] = [
    ['those that are too old go', [1, 899, 900, 901], 4, 9, 2],
    ['all go where all are too old', [1, 2, 3], 3, 9, 3],
    ['none goes where none is too old', [900, 1, 2], 3, 9, 0],
    ['those that are too many go, however young', [900, 950, 990], 3, 1, 2],
    ['no more go than were looked at', [900, 950], 100, 1, 2],
    ['the larger number decides', [1, 2, 3, 950], 4, 3, 3],
    ['one with a time in the future keeps what is behind it', [1, 5_000, 2, 3], 4, 9, 1],
    ['until there are too many', [1, 5_000, 2, 3], 4, 1, 3],
    ['there is nothing to do where there are none', [], 0, 1, 0],
  ];
  for (const [title, oldest, kept, maxRows, expected] of ROWS) {
    test(title, () =>
      assert.equal(countExpired(oldest, kept, { maxAgeMs: MAX_AGE_MS, maxRows }, NOW), expected),
    );
  }
});
