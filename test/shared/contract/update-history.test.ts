import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  NO_POLICY,
  parseQuarantine,
  parseUpdateHistory,
  parseUpdatePolicy,
  UPDATE_OUTCOMES,
  type UpdateHistoryEntry,
} from '../../../shared/contract/update-history.ts';
import { DIGEST, FAILURE, NAMELESS, OTHER_DIGEST, RELEASE } from './samples.ts';

const ENTRY: UpdateHistoryEntry = {
  v: 1,
  txn: 'upd_1',
  kind: 'release',
  outcome: 'rolled-back',
  from: RELEASE,
  to: NAMELESS,
  request: { id: 'a', trigger: 'cron', by: null },
  startedAt: 1,
  finishedAt: 9,
  failure: FAILURE,
  databaseRestored: true,
  steps: [{ state: 'requested', at: 1, ms: 2 }],
  warnings: ['slow'],
};
const line = (entry: unknown) => `${JSON.stringify(entry)}\n`;
const withTxn = (txn: string) => ({ ...ENTRY, txn });

describe('parseUpdateHistory', () => {
  test('an empty file is an empty history', () => assert.deepEqual(parseUpdateHistory(''), []));

  test('reads the lines in their order', () => {
    const content = line(withTxn('upd_1')) + line(withTxn('upd_2'));
    assert.deepEqual(parseUpdateHistory(content), [withTxn('upd_1'), withTxn('upd_2')]);
  });

  for (const outcome of UPDATE_OUTCOMES)
    test(`knows an update that is ${outcome}`, () =>
      assert.equal(parseUpdateHistory(line({ ...ENTRY, outcome }))[0]?.outcome, outcome));

  test('reads an update that never chose a release, and one without a failure', () => {
    const entry = { ...ENTRY, to: null, failure: null };
    assert.deepEqual(parseUpdateHistory(line(entry)), [entry]);
  });

  test('wherever the last line was torn, the ones before are read', () => {
    const last = line(withTxn('upd_2'));
    for (let length = 0; length < last.length - 1; length++) {
      const content = line(ENTRY) + last.slice(0, length);
      assert.deepEqual(parseUpdateHistory(content), [ENTRY], `${length}`);
    }
  });

  test('a line that follows a torn one is lost with it, the next one is not', () => {
    const content = `${line(ENTRY).slice(0, 50)}${line(withTxn('upd_2'))}${line(withTxn('upd_3'))}`;
    assert.deepEqual(parseUpdateHistory(content), [withTxn('upd_3')]);
  });

  test('lines that are no entries are passed over', () => {
    const { warnings, ...older } = ENTRY;
    const lines = [
      '\n',
      '{}\n',
      '[]\n',
      '\0\0\0\n',
      line({ ...ENTRY, v: 0 }),
      line({ ...ENTRY, outcome: 'lost' }),
      line({ ...ENTRY, failure: { code: 'NOPE', detail: '' } }),
      line(older),
    ];
    assert.deepEqual(parseUpdateHistory(lines.join('')), [{ ...ENTRY, warnings: [] }]);
  });
});

describe('parseQuarantine', () => {
  const entry = {
    digest: DIGEST,
    version: '1.3.0',
    failure: FAILURE,
    count: 2,
    firstAt: 1,
    lastAt: 2,
    txn: 'upd_1',
  };
  const quarantine = { v: 1, entries: [entry, { ...entry, digest: OTHER_DIGEST }] };
  const read = (raw: unknown) => parseQuarantine(JSON.stringify(raw));

  test('reads what was written', () => assert.deepEqual(read(quarantine), quarantine));
  test('may be empty', () => assert.deepEqual(read({ v: 1, entries: [] }), { v: 1, entries: [] }));

  const REFUSED: readonly (readonly [title: string, raw: unknown])[] = [
    ['a list', [entry]],
    ['no version', { entries: [] }],
    ['no entries', { v: 1 }],
    ['one bad entry, for what it was is not known', { v: 1, entries: [entry, {}] }],
    ['an entry without a digest', { v: 1, entries: [{ ...entry, digest: 'v1.3.0' }] }],
    ['an entry that was never tried', { v: 1, entries: [{ ...entry, count: 0 }] }],
    ['more than a thousand', { v: 1, entries: Array(1001).fill(entry) }],
  ];
  for (const [title, raw] of REFUSED)
    test(`refuses ${title}`, () => assert.equal(read(raw), undefined));

  test('refuses what is no JSON', () => {
    const content = JSON.stringify(quarantine);
    assert.equal(parseQuarantine(content.slice(0, -1)), undefined);
    assert.equal(parseQuarantine(''), undefined);
  });
});

describe('parseUpdatePolicy', () => {
  const hold = { at: 5, by: 'Zoë', reason: null, automatic: true };
  const policy = {
    ...{ v: 1, hold, generationFloor: 7, badInARow: [DIGEST], lastGood: RELEASE },
  };
  const read = (raw: unknown) => parseUpdatePolicy(JSON.stringify(raw));

  test('reads what was written', () => {
    assert.deepEqual(read(policy), policy);
    assert.deepEqual(read(NO_POLICY), NO_POLICY);
  });

  const REFUSED: readonly (readonly [title: string, raw: unknown])[] = [
    ['null', null],
    ['no word about a hold', { ...policy, hold: undefined }],
    ['a hold that does not say whose it is', { ...policy, hold: { at: 5 } }],
    ['a floor below zero', { ...policy, generationFloor: -1 }],
    ['a bad digest', { ...policy, badInARow: ['x'] }],
    ['a release without a digest', { ...policy, lastGood: { version: '1' } }],
  ];
  for (const [title, raw] of REFUSED)
    test(`refuses ${title}`, () => assert.equal(read(raw), undefined));
});

test('whatever the files say, reading them never throws', () => {
  const contents = fc.oneof(fc.string(), fc.json());
  fc.assert(
    fc.property(contents, (content) => {
      parseUpdateHistory(content);
      parseQuarantine(content);
      parseUpdatePolicy(content);
    }),
  );
});
