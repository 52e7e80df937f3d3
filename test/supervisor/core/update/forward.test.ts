import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  Open,
  UpdateContext,
  UpdateEvent,
} from '../../../../supervisor/core/update/machine.ts';
import { BACKUP, from, inShort, NEW, open, WANTED, whereTo } from './fixture.ts';

type Row = readonly [
  title: string,
  work: Open,
  event: UpdateEvent,
  next: string,
  effects: readonly string[],
  context?: Partial<UpdateContext>,
];

const FAILURE = { code: 'UPDATE_DISK_FULL', detail: 'ENOSPC' } as const;
const failed: UpdateEvent = { kind: 'act-failed', failure: FAILURE };
const inspected = (compatible: boolean): UpdateEvent => ({
  kind: 'inspected',
  compatible,
  detail: 'schema 2',
});
const timer = (name: 'idle-deadline' | 'probe' | 'retry'): UpdateEvent => ({
  kind: 'update-timer',
  timer: name,
});
const ABORT = ['cancel-act', '-idle-deadline', 'persist aborting', 'proceed', 'resume'];
const BACK = ['cancel-act', '-probe', 'persist rolling-back', 'suspend'];

const staging = open('staging', 'staging');
const dry = open('staging', 'staging', { request: { ...staging.record.request, dryRun: true } });
const goingBack = open('staging', 'staging', { kind: 'rollback' });
const database = { ...staging.record.database, wanted: WANTED };
const inspecting = open('staged', 'inspecting', { kind: 'rollback', database });
const givingUpData = open('staged', 'inspecting', {
  kind: 'rollback',
  database,
  request: { ...staging.record.request, restoreDatabase: true },
});
const withWanted = open('switching', 'switching', { kind: 'rollback', database });

const ROWS: readonly Row[] = [
  [
    'progress is shown and nothing more',
    staging,
    { kind: 'staging-progress', step: 'downloading', bytes: 1, total: 9 },
    'staging/staging',
    [],
  ],
  [
    'what is staged waits for running tasks to end',
    staging,
    { kind: 'staged', release: NEW },
    'staged/pausing',
    ['persist staged', 'pause', '+idle-deadline:300000'],
  ],
  [
    'a worker that does not serve is not waited for long',
    staging,
    { kind: 'staged', release: NEW },
    'staged/pausing',
    ['persist staged', 'pause', '+idle-deadline:10000'],
    { worker: 'down' },
  ],
  [
    'without a worker there is nothing to wait for',
    staging,
    { kind: 'staged', release: NEW },
    'quiescing/suspending',
    ['persist staged', '-idle-deadline', 'persist quiescing', 'suspend'],
    { worker: 'none' },
  ],
  [
    'a dry run ends with what would be installed',
    dry,
    { kind: 'staged', release: NEW },
    'aborting/closing',
    [...ABORT, 'close dry-run'],
  ],
  [
    'what is current already ends it',
    staging,
    { kind: 'current', release: NEW },
    'aborting/closing',
    [...ABORT, 'close current'],
  ],
  [
    'a reason of the stager ends it',
    staging,
    { kind: 'staging-failed', failure: FAILURE },
    'aborting/closing',
    [...ABORT, 'close failed'],
  ],
  [
    'a stager that breaks off is started again',
    staging,
    failed,
    'staging/staging',
    ['persist staging', 'stage'],
  ],
  [
    'but not for ever',
    open('staging', 'staging', { stagingLeft: 0 }),
    failed,
    'aborting/closing',
    [...ABORT, 'close failed'],
  ],
  [
    'a former version is asked about the database of today',
    goingBack,
    { kind: 'staged', release: NEW },
    'staged/inspecting',
    ['persist staged', 'inspect-staged'],
  ],
  [
    'one that can live with it is installed',
    inspecting,
    inspected(true),
    'staged/pausing',
    ['pause', '+idle-deadline:300000'],
  ],
  [
    'one that cannot is not',
    inspecting,
    inspected(false),
    'aborting/closing',
    [...ABORT, 'close failed'],
  ],
  [
    'unless its own database may come back with it',
    givingUpData,
    inspected(false),
    'staged/pausing',
    ['pause', '+idle-deadline:300000'],
  ],
  [
    'an inspection that breaks off ends it',
    inspecting,
    failed,
    'aborting/closing',
    [...ABORT, 'close failed'],
  ],
  [
    'an idle worker is stopped',
    open('staged', 'pausing'),
    { kind: 'worker-idle' },
    'quiescing/suspending',
    ['-idle-deadline', 'persist quiescing', 'suspend'],
  ],
  [
    'a new worker is told to pause too',
    open('staged', 'pausing'),
    { kind: 'worker-up', readiness: { version: '1.0.0', schema: 1, digest: null } },
    'staged/pausing',
    ['pause'],
  ],
  [
    'one that stays busy ends the update',
    open('staged', 'pausing'),
    timer('idle-deadline'),
    'aborting/closing',
    [...ABORT, 'close failed'],
  ],
  [
    'one that does not serve does not',
    open('staged', 'pausing'),
    timer('idle-deadline'),
    'quiescing/suspending',
    ['-idle-deadline', 'persist quiescing', 'suspend'],
    { worker: 'down' },
  ],
  [
    'nobody writes any more: the database is copied',
    open('quiescing', 'suspending'),
    { kind: 'worker-suspended' },
    'backing-up/backing-up',
    ['persist backing-up', 'back-up'],
  ],
  [
    'the backup is recorded before the exchange',
    open('backing-up', 'backing-up'),
    { kind: 'backed-up', backup: BACKUP },
    'switching/switching',
    ['persist switching', 'switch-program'],
  ],
  [
    'a backup that fails ends it',
    open('backing-up', 'backing-up'),
    failed,
    'aborting/closing',
    [...ABORT, 'close failed'],
  ],
  [
    'the try is counted before the new worker starts',
    open('switching', 'switching'),
    { kind: 'switched' },
    'trial/starting',
    ['persist trial', 'resume on trial'],
  ],
  [
    'a wanted database comes with the exchanged program',
    withWanted,
    { kind: 'switched' },
    'switching/restoring-wanted',
    ['restore-wanted'],
  ],
  [
    'and is recorded before the worker starts',
    { ...withWanted, doing: { what: 'restoring-wanted' } },
    { kind: 'wanted-restored' },
    'trial/starting',
    ['persist trial', 'resume on trial'],
  ],
  [
    'an exchange that fails may have happened: it goes back',
    open('switching', 'switching'),
    failed,
    'rolling-back/suspending',
    BACK,
  ],
  [
    'so may a database that fails to come back',
    { ...withWanted, doing: { what: 'restoring-wanted' } },
    failed,
    'rolling-back/suspending',
    BACK,
  ],
  [
    'a good check hands over',
    open('trial', 'checking'),
    { kind: 'checked', failure: null, warnings: [] },
    'handing-over/suspending',
    ['persist handing-over', 'suspend'],
  ],
  [
    'a bad one goes back',
    open('trial', 'checking'),
    { kind: 'checked', failure: FAILURE, warnings: [] },
    'rolling-back/suspending',
    BACK,
  ],
  [
    'a check that breaks off goes back',
    open('trial', 'checking'),
    failed,
    'rolling-back/suspending',
    BACK,
  ],
  [
    'without a worker the supervisor itself follows',
    open('handing-over', 'suspending'),
    { kind: 'worker-suspended' },
    'handing-over/executing',
    ['execute'],
  ],
  [
    'so it does when the worker dies as it is stopped',
    open('handing-over', 'suspending'),
    { kind: 'worker-failed', how: 'exited', code: 1, signal: null, reason: '' },
    'handing-over/executing',
    ['execute'],
  ],
  [
    'a program that cannot be executed goes back',
    open('handing-over', 'executing'),
    failed,
    'rolling-back/suspending',
    BACK,
  ],
  [
    'a host that cannot exchange a supervisor keeps the old one until its next start',
    open('handing-over', 'executing'),
    { kind: 'hand-over-impossible', reason: 'No such call.' },
    'committing/closing',
    ['persist committing', 'end-trial', 'proceed', 'close committed', 'resume'],
  ],
];

describe('an update on its way', () => {
  for (const [title, work, event, next, effects, context] of ROWS) {
    test(title, () => {
      const step = from(work, event, context);
      assert.equal(whereTo(step), next);
      assert.deepEqual(inShort(step.effects), effects);
    });
  }

  test('each record that is written is one more than the one before', () => {
    for (const [, work, event, , , context] of ROWS) {
      let { seq } = work.record;
      for (const effect of from(work, event, context).effects) {
        if (effect.kind !== 'persist') continue;
        seq += 1;
        assert.equal(effect.record.seq, seq);
      }
    }
  });
});
