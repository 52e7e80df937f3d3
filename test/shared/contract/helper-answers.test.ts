import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  parseBackupAnswer,
  parseCheckAnswer,
  parseInspectAnswer,
  parseSelfCheckAnswer,
} from '../../../shared/contract/helper-answers.ts';
import type { Reader } from '../../../shared/contract/read-shape.ts';
import { DIGEST, FAILURE } from './samples.ts';

const BACKUP = { kind: 'copy', sha256: DIGEST, bytes: 4096, schema: 4 };
const INSPECT = { exists: true, schema: 4, compatible: false, sound: true, detail: '' };
const checks = ['own-files', 'database', 'release-source', 'registry'].map((name, index) => ({
  ...{ name, failure: index === 1 ? FAILURE : null },
}));
const CHECK = { version: '1.2.3', digest: DIGEST, checks };
const SELF_CHECK = {
  ...{ version: '1.2.3', commit: 'abc', digest: DIGEST },
  ...{ schema: 4, record: 1, platform: 'linux-x64' },
};

const READERS: readonly (readonly [command: string, Reader<unknown>, Record<string, unknown>])[] = [
  ['db-backup', parseBackupAnswer, BACKUP],
  ['db-inspect', parseInspectAnswer, INSPECT],
  ['post-update-check', parseCheckAnswer, CHECK],
  ['--self-check', parseSelfCheckAnswer, SELF_CHECK],
];

for (const [command, read, answer] of READERS)
  describe(`the answer of ${command}`, () => {
    test('is read without what it says besides', () =>
      assert.deepEqual(read({ ...answer, later: 1 }), answer));

    for (const name of Object.keys(answer)) {
      const { [name]: _, ...without } = answer;
      test(`needs ${name}`, () => assert.equal(read(without), undefined));
      test(`is refused where ${name} is of another type`, () =>
        assert.equal(read({ ...answer, [name]: { is: 'wrong' } }), undefined));
    }

    test('is an object', () => {
      for (const raw of [undefined, null, '', [answer]]) assert.equal(read(raw), undefined);
    });

    test('whatever it is, never throws', () => {
      fc.assert(fc.property(fc.anything(), (raw) => void read(raw)));
    });
  });

describe('an answer may say', () => {
  const ROWS: readonly (readonly [title: string, Reader<unknown>, unknown])[] = [
    [
      'that there is no database',
      parseBackupAnswer,
      { kind: 'none', sha256: null, bytes: 0, schema: null },
    ],
    ['that nobody can read the schema', parseInspectAnswer, { ...INSPECT, schema: null }],
    ['that nothing was checked', parseCheckAnswer, { ...CHECK, checks: [] }],
  ];
  for (const [title, read, answer] of ROWS)
    test(title, () => assert.deepEqual(read(answer), answer));
});

describe('an answer may not say', () => {
  const ROWS: readonly (readonly [title: string, Reader<unknown>, unknown])[] = [
    ['a raw copy, which no helper makes', parseBackupAnswer, { ...BACKUP, kind: 'raw' }],
    ['an unknown check', parseCheckAnswer, { ...CHECK, checks: [{ name: 'x', failure: null }] }],
    ['a check without a result', parseCheckAnswer, { ...CHECK, checks: [{ name: 'database' }] }],
    ['that it reads no record at all', parseSelfCheckAnswer, { ...SELF_CHECK, record: 0 }],
  ];
  for (const [title, read, raw] of ROWS) test(title, () => assert.equal(read(raw), undefined));
});
