import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  failureShape,
  parseUpdateAnswer,
  parseUpdateRequest,
  UPDATE_COMMANDS,
  UPDATE_TRIGGERS,
} from '../../../shared/contract/update-request.ts';
import { FAILURE } from './samples.ts';

const FULL = {
  id: 'req_1-A',
  command: 'run',
  trigger: 'api',
  by: 'Zoë',
  reason: 'it is Tuesday',
  dryRun: true,
  tag: 'v1.2.3',
  force: true,
  version: '1.2.2',
  restoreDatabase: true,
  pid: 42,
  at: 1_700_000_000_000,
};

describe('parseUpdateRequest', () => {
  test('reads a full request', () => assert.deepEqual(parseUpdateRequest(FULL), FULL));

  for (const command of UPDATE_COMMANDS)
    test(`reads ${command} with an id and nothing else, as a person would write it`, () => {
      assert.deepEqual(parseUpdateRequest({ id: 'a', command }), {
        id: 'a',
        command,
        trigger: 'file',
        by: null,
        reason: null,
        dryRun: false,
        tag: null,
        force: false,
        version: null,
        restoreDatabase: false,
        pid: null,
        at: 0,
      });
    });

  for (const trigger of UPDATE_TRIGGERS)
    test(`takes ${trigger} for a trigger`, () =>
      assert.equal(parseUpdateRequest({ ...FULL, trigger })?.trigger, trigger));

  const REFUSED: readonly (readonly [title: string, raw: unknown])[] = [
    ['nothing', undefined],
    ['a list', [FULL]],
    ['no id', { ...FULL, id: undefined }],
    ['an empty id', { ...FULL, id: '' }],
    ['an id of 65 characters', { ...FULL, id: 'x'.repeat(65) }],
    ['an id that leads out of the folder of answers', { ...FULL, id: '../x' }],
    ['an id with a line feed', { ...FULL, id: 'x\n' }],
    ['no command', { ...FULL, command: undefined }],
    ['another command', { ...FULL, command: 'delete' }],
    ['another trigger', { ...FULL, trigger: 'moon' }],
    ['a flag that is a text', { ...FULL, force: 'false' }],
    ['a reason of 501 characters', { ...FULL, reason: 'x'.repeat(501) }],
    ['a process 0, which is a group', { ...FULL, pid: 0 }],
    ['a process -1, which is everybody', { ...FULL, pid: -1 }],
    ['a time that is a text', { ...FULL, at: '2026-01-01' }],
  ];
  for (const [title, raw] of REFUSED)
    test(`refuses ${title}`, () => assert.equal(parseUpdateRequest(raw), undefined));

  test('reads back what it has read', () => {
    const request = parseUpdateRequest({ id: 'a', command: 'run' });
    assert.deepEqual(parseUpdateRequest(JSON.parse(JSON.stringify(request))), request);
  });

  test('never throws', () => {
    fc.assert(fc.property(fc.anything(), (raw) => void parseUpdateRequest(raw)));
  });
});

describe('failureShape', () => {
  test('reads a failure and leaves out what it says besides', () =>
    assert.deepEqual(failureShape({ ...FAILURE, stack: '…' }), FAILURE));

  test('cuts what was seen to 2000 characters', () =>
    assert.equal(failureShape({ ...FAILURE, detail: 'x'.repeat(2001) })?.detail.length, 2000));

  const REFUSED: readonly unknown[] = [
    ...[null, 'INTERNAL', {}, { code: 'INTERNAL' }, { detail: '' }],
    ...[
      { ...FAILURE, code: 'NOPE' },
      { ...FAILURE, code: 'toString' },
    ],
    ...[
      { ...FAILURE, code: ['INTERNAL'] },
      { ...FAILURE, detail: 1 },
    ],
  ];
  for (const raw of REFUSED)
    test(`refuses ${JSON.stringify(raw)}`, () => assert.equal(failureShape(raw), undefined));
});

describe('parseUpdateAnswer', () => {
  const ANSWER = { id: 'a', txn: 'upd_1', failure: null, status: null };

  test('reads a yes', () => assert.deepEqual(parseUpdateAnswer(ANSWER), ANSWER));

  test('reads a no', () => {
    const answer = { ...ANSWER, txn: null, failure: FAILURE };
    assert.deepEqual(parseUpdateAnswer(answer), answer);
  });

  test('hands the status on as it is, and null where there is none', () => {
    const status = { anything: [1] };
    assert.deepEqual(parseUpdateAnswer({ ...ANSWER, status })?.status, status);
    const { status: _, ...without } = ANSWER;
    assert.equal(parseUpdateAnswer(without)?.status, null);
  });

  const REFUSED: readonly (readonly [title: string, raw: unknown])[] = [
    ['a text', 'yes'],
    ['no id', { ...ANSWER, id: undefined }],
    ['no word about a failure', { ...ANSWER, failure: undefined }],
    ['a failure of an unknown kind', { ...ANSWER, failure: { code: 'NOPE', detail: '' } }],
    ['a txn of 65 characters', { ...ANSWER, txn: 'x'.repeat(65) }],
  ];
  for (const [title, raw] of REFUSED)
    test(`refuses ${title}`, () => assert.equal(parseUpdateAnswer(raw), undefined));
});
