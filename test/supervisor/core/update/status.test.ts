import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUpdateStatus } from '../../../../shared/contract/update-status.ts';
import { toStatus } from '../../../../supervisor/core/update/status.ts';
import { machine, open, RECORD, REQUEST } from './fixture.ts';

const SUPERVISOR = { pid: 7, version: '1.0.0', slot: 'target' } as const;

test('without an update the supervisor and why there can be none are shown', () => {
  const unavailable = { code: 'UPDATE_UNAVAILABLE', detail: 'It runs elsewhere.' } as const;
  for (const work of [
    { kind: 'none' } as const,
    { kind: 'identifying', request: REQUEST, over: null } as const,
  ]) {
    const status = toStatus(machine(work, { unavailable }), SUPERVISOR, 3);
    assert.deepEqual(status, { change: 3, supervisor: SUPERVISOR, unavailable, update: null });
    assert.deepEqual(parseUpdateStatus(status), status);
  }
});

test('an open update is shown with how far it is', () => {
  const progress = { step: 'downloading', bytes: 5, total: 10 } as const;
  const status = toStatus(machine({ ...open('staging', 'staging'), progress }), SUPERVISOR, 4);
  assert.deepEqual(status.update, {
    txn: RECORD.txn,
    kind: RECORD.kind,
    state: 'staging',
    trigger: RECORD.request.trigger,
    dryRun: false,
    from: RECORD.from,
    to: RECORD.to,
    startedAt: RECORD.startedAt,
    triesLeft: RECORD.triesLeft,
    failure: null,
    progress,
    steps: RECORD.steps,
  });
  assert.deepEqual(parseUpdateStatus(status), status);
});
