import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpdateRecord } from '../../../../shared/contract/update-record.ts';
import type {
  Open,
  UpdateContext,
  UpdateEvent,
  UpdateMachine,
} from '../../../../supervisor/core/update/machine.ts';
import { from, inShort, open, opened, RECORD, WANTED, whereTo } from './fixture.ts';

type Row = readonly [
  title: string,
  work: Open,
  event: UpdateEvent,
  next: string,
  effects: readonly string[],
  more?: { readonly context?: Partial<UpdateContext>; readonly machine?: Partial<UpdateMachine> },
];

const FAILURE = { code: 'UPDATE_RESTORE_FAILED', detail: 'There is no backup.' } as const;
const failed: UpdateEvent = { kind: 'act-failed', failure: FAILURE };
const suspended: UpdateEvent = { kind: 'worker-suspended' };
const died: UpdateEvent = {
  kind: 'worker-failed',
  how: 'exited',
  code: 1,
  signal: null,
  reason: '',
};
const programRestored: UpdateEvent = { kind: 'program-restored' };
const settled = (restored: boolean): UpdateEvent => ({ kind: 'database-settled', restored });
const isNew = { machine: { self: 'to' } } as const;

const START = ['persist rolling-back', 'resume on trial'];
const BECOME = ['persist rolling-back', 'execute'];
const HOLD = ['persist held', 'suspend', '+held-poll:900000'];

const back = (
  what: Open['doing']['what'],
  database: Partial<UpdateRecord['database']> = {},
  changes: Partial<UpdateRecord> = {},
) => open('rolling-back', what, { database: { ...RECORD.database, ...database }, ...changes });

const ROWS: readonly Row[] = [
  [
    'without a worker the old program is put back',
    back('suspending'),
    suspended,
    'rolling-back/restoring-program',
    ['restore-program'],
  ],
  [
    'so it is when the new worker dies as it is stopped',
    back('suspending'),
    died,
    'rolling-back/restoring-program',
    ['restore-program'],
  ],
  [
    'a database that the new program may have changed is looked at',
    back('restoring-program'),
    programRestored,
    'rolling-back/settling-database',
    ['settle-database'],
  ],
  [
    'one that it never saw is not',
    back('restoring-program', { newVersionStarted: false }),
    programRestored,
    'rolling-back/starting',
    START,
  ],
  [
    'one that was exchanged for it is',
    back('restoring-program', { newVersionStarted: false, wanted: WANTED }),
    programRestored,
    'rolling-back/settling-database',
    ['settle-database'],
  ],
  [
    'one that was put back already is not',
    back('restoring-program', { restored: true }),
    programRestored,
    'rolling-back/starting',
    START,
  ],
  [
    'nor is one that the old program has written to again',
    back('restoring-program', {}, { rollbackAttempts: 1 }),
    programRestored,
    'rolling-back/starting',
    START,
  ],
  [
    'a database that was put back is recorded before the old worker starts',
    back('settling-database'),
    settled(true),
    'rolling-back/starting',
    START,
  ],
  [
    'one that may stay is left as it is',
    back('settling-database'),
    settled(false),
    'rolling-back/starting',
    START,
  ],
  [
    'a new supervisor goes back too',
    back('settling-database'),
    settled(true),
    'rolling-back/executing',
    BECOME,
    isNew,
  ],
  [
    'also where the database was not touched',
    back('restoring-program', { newVersionStarted: false }),
    programRestored,
    'rolling-back/executing',
    BECOME,
    isNew,
  ],
  [
    'one that cannot stays over the old worker',
    back('executing'),
    failed,
    'rolling-back/starting',
    START,
    isNew,
  ],
  [
    'also where the host is to blame',
    back('executing'),
    { kind: 'hand-over-impossible', reason: 'No such call.' },
    'rolling-back/starting',
    START,
    isNew,
  ],
  [
    'an old program that cannot be put back holds',
    back('restoring-program'),
    failed,
    'held/held',
    HOLD,
  ],
  ['so does a database', back('settling-database'), failed, 'held/held', HOLD],
  [
    'a held host looks for a release',
    open('held', 'held'),
    { kind: 'update-timer', timer: 'held-poll' },
    'held/held',
    ['look-for-release'],
  ],
  [
    'and looks again later when there is none',
    open('held', 'held'),
    { kind: 'looked', found: false },
    'held/held',
    ['+held-poll:900000'],
  ],
  ['or when looking fails', open('held', 'held'), failed, 'held/held', ['+held-poll:900000']],
  [
    'a release that is found takes its place',
    open('held', 'held'),
    { kind: 'looked', found: true },
    'identifying',
    ['-held-poll', 'identify null'],
  ],
  [
    'a reload tries the old version again',
    open('held', 'held'),
    { kind: 'reload' },
    'rolling-back/suspending',
    ['-held-poll', 'cancel-act', '-probe', 'persist rolling-back', 'suspend'],
  ],
];

describe('an update on its way back', () => {
  for (const [title, work, event, next, effects, more] of ROWS) {
    test(title, () => {
      const step = from(work, event, more?.context, more?.machine);
      assert.equal(whereTo(step), next);
      assert.deepEqual(inShort(step.effects), effects);
    });
  }

  test('a database that was put back is never put back again', () => {
    const { record } = opened(from(back('settling-database'), settled(true)));
    assert.equal(record.database.restored, true);
    assert.equal(
      opened(from(back('settling-database'), settled(false))).record.database.restored,
      false,
    );
  });

  test('each start of the old worker is counted, however often it is cut off', () => {
    for (const [before, after] of [
      [0, 1],
      [2, 3],
      [3, 3],
    ] as const) {
      const work = back('settling-database', {}, { rollbackAttempts: before });
      assert.equal(opened(from(work, settled(false))).record.rollbackAttempts, after);
    }
  });

  test('a supervisor that stays counts as the old one from then on', () => {
    const { machine } = from(back('executing'), failed, {}, { self: 'to' });
    assert.equal(machine.self, 'from');
  });

  test('what the new program is blamed for outlives the hold, which has its own reason beside it', () => {
    const blame = { code: 'UPDATE_PROBE_FAILED', detail: 'No answer.' } as const;
    const held = opened(from(back('settling-database', {}, { failure: blame }), failed));
    assert.deepEqual(held.record.failure, blame);
    assert.deepEqual(held.record.warnings, ['UPDATE_RESTORE_FAILED: There is no backup.']);
    const unblamed = opened(from(back('settling-database'), failed));
    assert.deepEqual(unblamed.record.failure, FAILURE);
    assert.deepEqual(unblamed.record.warnings, []);
  });

  test('the first failure of the way there is the one that is kept on the way back', () => {
    const blame = { code: 'UPDATE_PROBE_FAILED', detail: 'No answer.' } as const;
    const step = from(open('trial', 'checking', { failure: blame }), failed);
    assert.deepEqual(opened(step).record.failure, blame);
  });

  test('a held host waits for a person where a person wants it to', () => {
    const policy = {
      v: 1,
      hold: { at: 1, by: 'somebody', reason: 'Holidays.', automatic: false },
      generationFloor: null,
      badInARow: [],
      lastGood: null,
    };
    const memory = { policy, quarantine: { v: 1, entries: [] } };
    const step = from(open('held', 'held'), { kind: 'looked', found: true }, {}, { memory });
    assert.equal(whereTo(step), 'held/held');
    assert.deepEqual(inShort(step.effects), [
      'answer upd_fresh UPDATE_ON_HOLD',
      '+held-poll:900000',
    ]);
  });

  test('a person who tries again gives it all its tries, but not what was written meanwhile', () => {
    const before = {
      seq: 61,
      rollbackAttempts: 3,
      database: { ...RECORD.database, restored: true },
    };
    const { record } = opened(from(open('held', 'held', before), { kind: 'reload' }));
    assert.equal(record.seq, 2);
    assert.equal(record.rollbackAttempts, 1);
    assert.equal(record.database.restored, true);
  });

  test('the polls of many hosts do not beat in time', () => {
    for (const [random, afterMs] of [
      [0, 720_000],
      [0.999999, 1_080_000],
    ] as const) {
      const step = from(open('held', 'held'), { kind: 'looked', found: false }, { random });
      assert.deepEqual(inShort(step.effects), [`+held-poll:${afterMs}`]);
    }
  });
});
