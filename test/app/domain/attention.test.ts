import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isSeen, listAttention, titleOf } from '../../../app/domain/attention.ts';
import {
  ATTENTION_KINDS,
  type AttentionFacts,
  type TaskFacts,
} from '../../../app/domain/attention-facts.ts';

const NOTHING: AttentionFacts = {
  ...{ health: [], failed: [], stuck: [], limited: [], quarantined: [], jobs: [] },
  ...{ hold: null, refusals: [], limits: [], faults: [], damaged: [], missed: null },
  ...{ imageLimited: [], credentials: [], connections: null },
  lockedHooks: [],
};
const TASK: TaskFacts = {
  ...{ id: 'tsk_1', unit: 'web.service', status: 'failed', summary: 'It failed.' },
  error_code: 'GATE_UNHEALTHY',
  error_detail: 'It was unhealthy.',
  ...{ created_at: 1_000, finished_at: 2_000 },
};
const FULL: AttentionFacts = {
  health: [
    { component: 'linger', failure: { code: 'LINGER_OFF', detail: '' }, since: 9, checkedAt: 9 },
    { component: 'disk', failure: undefined, since: null, checkedAt: 9 },
  ],
  failed: [TASK],
  stuck: [{ ...TASK, id: 'tsk_2', status: 'running', error_code: null, error_detail: null }],
  limited: [{ ...TASK, id: 'tsk_3', status: 'pending' }],
  quarantined: [
    {
      ...{ unit: 'web.service', digest: 'sha256:0a', image: 'ghcr.io/o/web:main' },
      code: 'GATE_UNHEALTHY',
      ...{ detail: 'It was unhealthy.', last_at: 5 },
    },
  ],
  jobs: [{ name: 'backup', failed: { at: 7, code: 'BACKUP_FAILED', taskId: null }, missedAt: 8 }],
  hold: { at: 4, reason: null },
  refusals: [{ image: 'ghcr.io/o/x:1', code: 'REGISTRY_UNAUTHORIZED', detail: '401', at: 3 }],
  limits: [{ host: 'ghcr.io', detail: 'Later.', at: 3 }],
  faults: [{ unit: 'bad.service', fault: 'Image= is missing.', at: 2 }],
  damaged: [{ name: 'a.spool.damaged', at: 1 }],
  lockedHooks: [{ name: 'forge', at: 1 }],
  missed: { count: 3, units: 2, recovered: 4, at: 6 },
  imageLimited: [{ ...TASK, id: 'tsk_4', status: 'pending', error_code: null }],
  credentials: [{ kind: 'admin', address: '192.0.2.7', count: 20, since: 3 }],
  connections: { count: 9, at: 3 },
};

describe('what wants a person', () => {
  test('nothing does where all is well', () => {
    assert.deepEqual(listAttention(NOTHING), []);
  });

  test('of each kind something, with what can be done; errors first, then the latest', () => {
    const items = listAttention(FULL);
    const kinds = new Set(items.map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), [...ATTENTION_KINDS].sort());
    assert.equal(new Set(items.map(({ id }) => id)).size, items.length, 'each has its own id');
    const ranks = items.map(({ severity }) => severity);
    assert.deepEqual(ranks, [...ranks].sort());
    for (const item of items) {
      assert.notEqual(titleOf(item), '');
      const { hint, command, api } = item.action;
      // The hint of a code is added by who knows the codes.
      assert.ok(hint !== '' || (item.code !== null && (command !== null || api !== null)));
    }
  });

  test('a deployment that was taken back is a warning; one that could not be is an error', () => {
    const severity = (over: Partial<TaskFacts>) =>
      listAttention({ ...NOTHING, failed: [{ ...TASK, ...over }] })[0]?.severity;
    assert.equal(severity({}), 'warning');
    assert.equal(severity({ error_code: 'ROLLBACK_FAILED' }), 'error');
    assert.equal(severity({ status: 'unknown' }), 'error');
  });

  test('a word from before it began does not count as seen', () => {
    const [item] = listAttention({ ...NOTHING, failed: [TASK] });
    assert.ok(item);
    assert.equal(isSeen(item, { seen_at: 2_000 }), true);
    assert.equal(isSeen(item, { seen_at: 1_999 }), false);
    assert.equal(isSeen(item, undefined), false);
  });
});
