import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseWorkerNotice } from '../../../shared/contract/worker-messages.ts';

const GOOD = { kind: 'worker-ready', version: '1.2.3', schema: 4 } as const;

test('a notice of readiness is read', () => {
  assert.deepEqual(parseWorkerNotice(GOOD), GOOD);
});

test('what a notice says besides is dropped', () => {
  assert.deepEqual(parseWorkerNotice({ ...GOOD, pid: 1 }), GOOD);
});

const REFUSED: readonly (readonly [title: string, raw: unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a text', 'worker-ready'],
  ['an empty list', []],
  ['another kind', { ...GOOD, kind: 'worker-gone' }],
  ['no version', { kind: GOOD.kind, schema: 4 }],
  ['a version that is a number', { ...GOOD, version: 1 }],
  ['a version beyond 100 characters', { ...GOOD, version: 'x'.repeat(101) }],
  ['no schema', { kind: GOOD.kind, version: '1' }],
  ['a schema that is a text', { ...GOOD, schema: '4' }],
  ['a schema that is no whole number', { ...GOOD, schema: 1.5 }],
  ['a schema that is no number', { ...GOOD, schema: Number.NaN }],
  ['a schema beyond what is exact', { ...GOOD, schema: 2 ** 53 }],
];
for (const [title, raw] of REFUSED)
  test(`${title} is no notice`, () => assert.equal(parseWorkerNotice(raw), undefined));

test('a version of exactly 100 characters is read', () => {
  const notice = { ...GOOD, version: 'x'.repeat(100) };
  assert.deepEqual(parseWorkerNotice(notice), notice);
});

test('whatever arrives, reading it never throws', () => {
  fc.assert(fc.property(fc.anything(), (raw) => void parseWorkerNotice(raw)));
});
