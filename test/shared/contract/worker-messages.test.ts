import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  parseSupervisorMessage,
  parseWorkerNotice,
  type SupervisorMessage,
  type WorkerNotice,
} from '../../../shared/contract/worker-messages.ts';
import { DIGEST, FAILURE, STATUS } from './samples.ts';

const READY = { kind: 'worker-ready', version: '1.2.3', schema: 4, digest: null } as const;
const REQUEST = {
  id: 'a',
  command: 'run',
  trigger: 'api',
  by: null,
  reason: null,
  dryRun: false,
  tag: null,
  force: false,
  version: null,
  restoreDatabase: false,
  pid: 42,
  at: 0,
} as const;

describe('parseWorkerNotice', () => {
  const NOTICES: readonly (readonly [title: string, notice: WorkerNotice])[] = [
    ['readiness', READY],
    ['readiness in a trial', { ...READY, digest: DIGEST }],
    ['a version of exactly 100 characters', { ...READY, version: 'x'.repeat(100) }],
    ['an empty database', { ...READY, schema: 0 }],
    ['a migration that gets on', { kind: 'worker-starting', step: 'migrating' }],
    ['a recovery that gets on', { kind: 'worker-starting', step: 'recovering' }],
    ['that no task runs', { kind: 'worker-idle' }],
    ['a request', { kind: 'update-request', request: REQUEST }],
  ];
  for (const [title, notice] of NOTICES)
    test(`reads ${title} and drops what it says besides`, () => {
      assert.deepEqual(parseWorkerNotice(notice), notice);
      assert.deepEqual(parseWorkerNotice({ ...notice, also: 1 }), notice);
    });

  test('reads the readiness of a program that does not name its digest', () => {
    const { digest: _, ...older } = READY;
    assert.deepEqual(parseWorkerNotice(older), READY);
  });

  const REFUSED: readonly (readonly [title: string, raw: unknown])[] = [
    ['nothing', undefined],
    ['null', null],
    ['a text', 'worker-ready'],
    ['an empty list', []],
    ['another kind', { ...READY, kind: 'worker-gone' }],
    ['a kind in a list', { ...READY, kind: ['worker-ready'] }],
    ['no version', { ...READY, version: undefined }],
    ['a version that is a number', { ...READY, version: 1 }],
    ['a version beyond 100 characters', { ...READY, version: 'x'.repeat(101) }],
    ['no schema', { ...READY, schema: undefined }],
    ['a schema that is a text', { ...READY, schema: '4' }],
    ['a schema that is no whole number', { ...READY, schema: 1.5 }],
    ['a schema that is no number', { ...READY, schema: Number.NaN }],
    ['a schema beyond what is exact', { ...READY, schema: 2 ** 53 }],
    ['a schema below zero', { ...READY, schema: -1 }],
    ['a digest that is none', { ...READY, digest: 'sha256:x' }],
    ['a step that is not known', { kind: 'worker-starting', step: 'sleeping' }],
    ['no step', { kind: 'worker-starting' }],
    ['a request without a request', { kind: 'update-request' }],
    [
      'a request for what cannot be asked',
      { kind: 'update-request', request: { ...REQUEST, command: 'x' } },
    ],
  ];
  for (const [title, raw] of REFUSED)
    test(`refuses ${title}`, () => assert.equal(parseWorkerNotice(raw), undefined));

  test('whatever arrives, never throws', () => {
    fc.assert(fc.property(fc.anything(), (raw) => void parseWorkerNotice(raw)));
  });
});

describe('parseSupervisorMessage', () => {
  const answer = { id: 'a', txn: null, failure: FAILURE, status: null };
  const MESSAGES: readonly SupervisorMessage[] = [
    { kind: 'pause' },
    { kind: 'proceed' },
    { kind: 'update-answer', answer },
    { kind: 'update-status', status: STATUS },
  ];
  for (const message of MESSAGES)
    test(`reads ${message.kind} and drops what it says besides`, () => {
      assert.deepEqual(parseSupervisorMessage(message), message);
      assert.deepEqual(parseSupervisorMessage({ ...message, also: 1 }), message);
    });

  const REFUSED: readonly (readonly [title: string, raw: unknown])[] = [
    ['null', null],
    ['a text', 'pause'],
    ['a kind that it does not know', { kind: 'dance' }],
    ['an answer to nothing', { kind: 'update-answer', answer: { ...answer, id: '' } }],
    ['no answer', { kind: 'update-answer' }],
    ['a status that is none', { kind: 'update-status', status: { ...STATUS, change: -1 } }],
  ];
  for (const [title, raw] of REFUSED)
    test(`refuses ${title}`, () => assert.equal(parseSupervisorMessage(raw), undefined));

  test('whatever arrives, never throws', () => {
    fc.assert(fc.property(fc.anything(), (raw) => void parseSupervisorMessage(raw)));
  });
});
