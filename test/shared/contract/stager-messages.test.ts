import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  parseStagerNotice,
  parseStagerOrder,
  STAGER_STEPS,
  type StagerNotice,
} from '../../../shared/contract/stager-messages.ts';
import { DIGEST, FAILURE, NAMELESS, RELEASE } from './samples.ts';

describe('parseStagerOrder', () => {
  const ORDER = {
    target: '/b/podup',
    current: RELEASE,
    tag: null,
    dryRun: false,
    force: false,
    quarantine: [DIGEST],
    generationFloor: 7,
    retained: null,
  };
  const full = { ...ORDER, tag: 'v1', retained: { file: '/s/program', release: NAMELESS } };

  for (const order of [ORDER, full])
    test(`reads an order ${order.retained ? 'for a retained program' : 'for a release'}`, () =>
      assert.deepEqual(parseStagerOrder({ ...order, later: 1 }), order));

  const REFUSED: readonly (readonly [title: string, raw: unknown])[] = [
    ['nothing', undefined],
    ['no target', { ...ORDER, target: undefined }],
    ['no program that runs', { ...ORDER, current: null }],
    ['a quarantine that names a tag', { ...ORDER, quarantine: ['v1'] }],
    ['a retained program without a file', { ...ORDER, retained: { release: RELEASE } }],
    ['a flag that is missing', { ...ORDER, force: undefined }],
  ];
  for (const [title, raw] of REFUSED)
    test(`refuses ${title}`, () => assert.equal(parseStagerOrder(raw), undefined));
});

describe('parseStagerNotice', () => {
  const NOTICES: readonly StagerNotice[] = [
    ...STAGER_STEPS.map((step) => ({ kind: 'progress', step, bytes: 0, total: 9 }) as const),
    { kind: 'progress', step: 'downloading', bytes: 5, total: null },
    { kind: 'staged', release: NAMELESS },
    { kind: 'current', release: RELEASE },
    { kind: 'failed', failure: FAILURE },
  ];
  for (const notice of NOTICES)
    test(`reads ${JSON.stringify(notice).slice(0, 60)}`, () =>
      assert.deepEqual(parseStagerNotice({ ...notice, later: 1 }), notice));

  const REFUSED: readonly (readonly [title: string, raw: unknown])[] = [
    ['a text', 'staged'],
    ['no kind', { step: 'choosing', bytes: 0, total: null }],
    ['another kind', { kind: 'done' }],
    ['an unknown step', { kind: 'progress', step: 'x', bytes: 0, total: null }],
    ['less than nothing', { kind: 'progress', step: 'choosing', bytes: -1, total: null }],
    ['no release', { kind: 'staged' }],
    ['a release without a digest', { kind: 'current', release: { ...RELEASE, digest: null } }],
    ['an unknown failure', { kind: 'failed', failure: { code: 'NOPE', detail: '' } }],
  ];
  for (const [title, raw] of REFUSED)
    test(`refuses ${title}`, () => assert.equal(parseStagerNotice(raw), undefined));
});

test('whatever comes, reading it never throws', () => {
  fc.assert(
    fc.property(fc.anything(), (raw) => {
      parseStagerOrder(raw);
      parseStagerNotice(raw);
    }),
  );
});
