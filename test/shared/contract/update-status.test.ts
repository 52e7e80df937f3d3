import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { UPDATE_STATES } from '../../../shared/contract/update-record.ts';
import { parseUpdateStatus } from '../../../shared/contract/update-status.ts';
import { FAILURE, NAMELESS, STATUS } from './samples.ts';

const change = (update: Record<string, unknown>) => ({
  ...STATUS,
  update: { ...STATUS.update, ...update },
});

describe('parseUpdateStatus', () => {
  const ROWS: readonly (readonly [title: string, status: unknown])[] = [
    ['an update that downloads', STATUS],
    ['no update', { ...STATUS, update: null }],
    ['that there can be none', { ...STATUS, update: null, unavailable: FAILURE }],
    ['an update that failed', change({ failure: FAILURE, to: NAMELESS, progress: null })],
    ...UPDATE_STATES.map((state) => [`the state ${state}`, change({ state })] as const),
  ];
  for (const [title, status] of ROWS)
    test(`reads ${title}`, () => assert.deepEqual(parseUpdateStatus(status), status));

  test('leaves out what it does not know', () => {
    assert.deepEqual(parseUpdateStatus({ ...change({ later: 1 }), later: 1 }), STATUS);
  });

  const REFUSED: readonly (readonly [title: string, raw: unknown])[] = [
    ['nothing', undefined],
    ['a list', []],
    ['no supervisor', { ...STATUS, supervisor: null }],
    ['a supervisor without a process', { ...STATUS, supervisor: { ...STATUS.supervisor, pid: 0 } }],
    ['an unknown slot', { ...STATUS, supervisor: { ...STATUS.supervisor, slot: 'new' } }],
    ['no word about an update', { ...STATUS, update: undefined }],
    ['a state that is not known', change({ state: 'flying' })],
    ['a step of the stager that is not known', change({ progress: { step: 'x', bytes: 0 } })],
    ['a reason that is a text', { ...STATUS, unavailable: 'no' }],
  ];
  for (const [title, raw] of REFUSED)
    test(`refuses ${title}`, () => assert.equal(parseUpdateStatus(raw), undefined));

  test('never throws', () => {
    fc.assert(fc.property(fc.anything(), (raw) => void parseUpdateStatus(raw)));
  });
});
