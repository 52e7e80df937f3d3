import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpdateEvent } from '../../../../supervisor/core/update/machine.ts';
import { CONTEXT, from, NEW, open, opened, release, WANTED, whereTo } from './fixture.ts';

const FAILURE = { code: 'UPDATE_DISK_FULL', detail: 'ENOSPC' } as const;
const failed: UpdateEvent = { kind: 'act-failed', failure: FAILURE };
const inspected = (compatible: boolean): UpdateEvent => ({
  kind: 'inspected',
  compatible,
  detail: 'schema 2',
});

const staging = open('staging', 'staging');
const dry = open('staging', 'staging', { request: { ...staging.record.request, dryRun: true } });
const goingBack = open('staging', 'staging', { kind: 'rollback' });
const database = { ...staging.record.database, wanted: WANTED };
const givingUpData = open('staged', 'inspecting', {
  kind: 'rollback',
  database,
  request: { ...staging.record.request, restoreDatabase: true },
});
const withWanted = open('switching', 'switching', { kind: 'rollback', database });

describe('the record of an update on its way', () => {
  test('what was staged is what is recorded', () => {
    const other = release('3.0.0', 'c');
    for (const kind of ['staged', 'current'] as const) {
      const { record } = opened(from(staging, { kind, release: other }));
      assert.deepEqual(record.to, other);
    }
    assert.deepEqual(opened(from(dry, { kind: 'staged', release: other })).record.to, other);
  });

  test('the stager is told what runs, what is bad and how old a release may be', () => {
    const memory = {
      policy: { v: 1, hold: null, generationFloor: 7, badInARow: [], lastGood: null },
      quarantine: {
        v: 1,
        entries: [
          {
            digest: NEW.digest,
            version: '2.0.0',
            failure: FAILURE,
            count: 1,
            firstAt: 1,
            lastAt: 1,
            txn: 'upd_0',
          },
        ],
      },
    };
    const { effects } = from(staging, failed, {}, { memory });
    assert.deepEqual(effects.at(-1), {
      kind: 'stage',
      order: {
        current: staging.record.from,
        tag: null,
        dryRun: false,
        force: false,
        quarantine: [NEW.digest],
        generationFloor: 7,
        retained: null,
      },
    });
    const back = from(goingBack, failed).effects.at(-1);
    assert.ok(back?.kind === 'stage');
    assert.deepEqual(back.order.retained, { file: '', release: NEW });
  });

  test('each start of the stager, of the worker and of the supervisor is counted before it begins', () => {
    assert.equal(opened(from(staging, failed)).record.stagingLeft, 1);
    const { record } = opened(from(open('switching', 'switching'), { kind: 'switched' }));
    assert.equal(record.triesLeft, 1);
    assert.equal(record.database.newVersionStarted, true);
    const handedOver = opened(
      from(open('trial', 'checking', { triesLeft: 0 }), {
        kind: 'checked',
        failure: null,
        warnings: [],
      }),
    );
    assert.equal(handedOver.record.handOversLeft, 0);
    assert.equal(handedOver.record.triesLeft, 3);
  });

  test('a hand-over uses up one of several', () => {
    const { record } = opened(
      from(open('trial', 'checking', { handOversLeft: 2 }), {
        kind: 'checked',
        failure: null,
        warnings: [],
      }),
    );
    assert.equal(record.handOversLeft, 1);
  });

  test('a database that a former version can live with is not given up for its own', () => {
    const { record } = opened(from(givingUpData, inspected(true)));
    assert.equal(record.database.wanted, null);
    assert.deepEqual(opened(from(givingUpData, inspected(false))).record.database.wanted, WANTED);
  });

  test('a wanted database is recorded as restored with the try', () => {
    const work = { ...withWanted, doing: { what: 'restoring-wanted' } } as const;
    const { record } = opened(from(work, { kind: 'wanted-restored' }));
    assert.equal(record.database.wantedRestored, true);
  });

  test('warnings of a check and the reason for a supervisor that stays are kept', () => {
    const checked = opened(
      from(open('trial', 'checking', { warnings: ['a'] }), {
        kind: 'checked',
        failure: null,
        warnings: ['b'],
      }),
    );
    assert.deepEqual(checked.record.warnings, ['a', 'b']);
    const stays = opened(
      from(open('handing-over', 'executing'), {
        kind: 'hand-over-impossible',
        reason: 'x'.repeat(999),
      }),
    );
    assert.deepEqual(stays.record.warnings, ['x'.repeat(500)]);
  });

  test('a new supervisor that has to prove its worker from the first commits without another hand-over', () => {
    const step = from(
      open('trial', 'checking'),
      { kind: 'checked', failure: null, warnings: [] },
      {},
      { self: 'to' },
    );
    assert.equal(whereTo(step), 'committing/closing');
  });

  test('the time that each step took is recorded, by a clock that cannot be set', () => {
    const step = from(
      { ...open('quiescing', 'suspending'), sinceMs: CONTEXT.nowMs - 1234.4 },
      { kind: 'worker-suspended' },
    );
    assert.deepEqual(opened(step).record.steps, [
      { state: 'requested', at: 1_699_999_999_500, ms: 1234 },
      { state: 'backing-up', at: CONTEXT.wallMs, ms: null },
    ]);
  });
});
