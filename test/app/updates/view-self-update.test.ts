import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { viewFailure } from '../../../app/api/problem.ts';
import type { UpdateFacts } from '../../../app/domain/update-facts.ts';
import { viewHistoryEntry, viewSelfUpdate } from '../../../app/updates/view-self-update.ts';
import { ERRORS } from '../../../shared/contract/error-codes.ts';
import { NO_POLICY } from '../../../shared/contract/update-history.ts';
import { historyEntry, openUpdate, release, updateRecord, updateStatus } from './update-fixture.ts';

const FAILURE = { code: 'UPDATE_START_FAILED', detail: 'It ended with 1.' } as const;

const NOTHING: UpdateFacts = {
  record: { kind: 'none' },
  history: [],
  quarantine: [],
  policy: NO_POLICY,
  retained: [],
  unreadable: [],
};

describe('viewSelfUpdate', () => {
  test('of a host without updates says that there is nothing', () => {
    assert.deepEqual(viewSelfUpdate(NOTHING), {
      source: 'files',
      supervisor: null,
      unavailable: null,
      update: null,
      hold: null,
      quarantine: [],
      retained: [],
      last: null,
      schedule: null,
      unreadable: [],
    });
  });

  test('takes the word of the supervisor where it speaks, with what is being fetched', () => {
    const progress = { step: 'downloading', bytes: 5, total: 10 } as const;
    const status = updateStatus({ update: openUpdate({ progress, dryRun: true }) });
    const record = updateRecord({ state: 'trial' });
    const facts: UpdateFacts = { ...NOTHING, record: { kind: 'record', record } };
    const { source, supervisor, update } = viewSelfUpdate(facts, { status });
    assert.deepEqual([source, supervisor], ['supervisor', status.supervisor]);
    assert.deepEqual(update, {
      txn: 'upd_1',
      kind: 'release',
      state: 'staging',
      trigger: 'cli',
      dry_run: true,
      from: release('1.0.0'),
      to: release('2.0.0'),
      started_at: '2023-11-14T22:13:20.000Z',
      tries_left: 3,
      failure: null,
      progress,
      steps: [{ state: 'requested', at: '2023-11-14T22:13:20.000Z', ms: 5 }],
    });
    assert.equal(viewSelfUpdate(facts, { status: updateStatus() }).update, null);
  });

  test('says why this program cannot be updated', () => {
    const unavailable = { code: 'UPDATE_UNAVAILABLE', detail: 'It runs as /x.' } as const;
    const view = viewSelfUpdate(NOTHING, { status: updateStatus({ unavailable }) });
    assert.deepEqual(view.unavailable, viewFailure(unavailable));
    const newer = viewSelfUpdate({ ...NOTHING, record: { kind: 'newer', v: 7 } });
    assert.equal(newer.unavailable?.code, 'UPDATE_RECORD_NEWER');
    assert.match(newer.unavailable?.detail ?? '', /format 7/);
  });

  test('takes the record where the supervisor is silent', () => {
    const record = updateRecord({ state: 'rolling-back', failure: FAILURE });
    const view = viewSelfUpdate({ ...NOTHING, record: { kind: 'record', record } });
    assert.equal(view.source, 'files');
    assert.equal(view.update?.state, 'rolling-back');
    assert.equal(view.update?.trigger, 'cli');
    assert.deepEqual(view.update?.failure, viewFailure(FAILURE));
  });

  test('has hold, quarantine, kept versions, schedule and what could not be read', () => {
    const bad = { digest: 'd', version: '1.5.0', count: 2, txn: 'upd_0' };
    const view = viewSelfUpdate(
      {
        record: { kind: 'broken', reason: 'its checksum is wrong' },
        history: [historyEntry({ txn: 'upd_0' }), historyEntry()],
        quarantine: [{ ...bad, failure: FAILURE, firstAt: 0, lastAt: 1000 }],
        policy: { ...NO_POLICY, hold: { at: 0, by: 'ann', reason: null, automatic: false } },
        retained: [
          {
            release: release('1.0.0'),
            file: '/f',
            txn: 'upd_1',
            hasDatabase: true,
            bytes: 9,
            keptAt: 2000,
          },
        ],
        unreadable: ['/quarantine.json: EACCES'],
      },
      { schedule: { cron: '0 4 * * *', dry_run: false, next_run_at: null } },
    );
    assert.deepEqual(view.hold, {
      at: '1970-01-01T00:00:00.000Z',
      by: 'ann',
      reason: null,
      automatic: false,
    });
    assert.deepEqual(view.quarantine, [
      {
        ...bad,
        failure: viewFailure(FAILURE),
        first_at: '1970-01-01T00:00:00.000Z',
        last_at: '1970-01-01T00:00:01.000Z',
      },
    ]);
    assert.deepEqual(view.retained, [
      {
        version: '1.0.0',
        digest: release('1.0.0').digest,
        tag: 'v1.0.0',
        txn: 'upd_1',
        kept_at: '1970-01-01T00:00:02.000Z',
        bytes: 9,
        has_database: true,
      },
    ]);
    assert.deepEqual(view.last, viewHistoryEntry(historyEntry()));
    assert.equal(view.schedule?.cron, '0 4 * * *');
    assert.deepEqual(view.unreadable, [
      '/quarantine.json: EACCES',
      'UPDATE_LOCK.json: its checksum is wrong',
    ]);
  });
});

describe('viewHistoryEntry', () => {
  test('has all of the entry, with ISO times and what the failure means', () => {
    const { sentence, hint } = ERRORS.UPDATE_START_FAILED;
    const view = viewHistoryEntry(
      historyEntry({ outcome: 'rolled-back', failure: FAILURE, databaseRestored: true, to: null }),
    );
    assert.deepEqual(view, {
      txn: 'upd_1',
      kind: 'release',
      outcome: 'rolled-back',
      from: release('1.0.0'),
      to: null,
      trigger: 'cli',
      by: null,
      started_at: '2023-11-14T22:13:20.000Z',
      finished_at: '2023-11-14T22:14:20.000Z',
      failure: { ...FAILURE, sentence, hint },
      database_restored: true,
      steps: [{ state: 'staging', at: '2023-11-14T22:13:20.000Z', ms: 1200 }],
      warnings: [],
    });
  });

  test('a time beyond what a date can be does not break the view', () => {
    const view = viewHistoryEntry(historyEntry({ finishedAt: Number.MAX_SAFE_INTEGER }));
    assert.equal(view.finished_at, '+275760-09-13T00:00:00.000Z');
  });
});
