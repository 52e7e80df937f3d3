import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTaskId } from '../../../app/domain/identifier.ts';
import { newIdentifier } from '../../../app/intake/new-identifier.ts';

test('identifiers are all different, well-formed, and never go back in time', () => {
  const made = Array.from({ length: 5_000 }, () => newIdentifier('tsk'));
  assert.equal(new Set(made.map((id) => id.slice(13))).size, made.length);
  assert.ok(made.every(isTaskId));
  const times = made.map((id) => id.slice(4, 13));
  assert.deepEqual(times, times.toSorted());
});

test('identifiers carry what they are of', () => {
  assert.match(newIdentifier('dlv'), /^dlv_/);
  assert.match(newIdentifier('req'), /^req_/);
});
