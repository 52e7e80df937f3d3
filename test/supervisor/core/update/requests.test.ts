import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UPDATE_STATES } from '../../../../shared/contract/update-record.ts';
import type { UpdateRequest } from '../../../../shared/contract/update-request.ts';
import type {
  Identifying,
  Memory,
  Retained,
  UpdateEvent,
  UpdateMachine,
} from '../../../../supervisor/core/update/machine.ts';
import { NO_MEMORY } from '../../../../supervisor/core/update/outcome.ts';
import {
  BACKUP,
  badMemory,
  CONTEXT,
  from,
  inShort,
  NEW,
  OLD,
  open,
  opened,
  RECORD,
  REQUEST,
  SITUATIONS,
  whereTo,
} from './fixture.ts';

const none: UpdateMachine['work'] = { kind: 'none' };
const ask = (changes: Partial<UpdateRequest> = {}): UpdateEvent => ({
  kind: 'request',
  request: { ...REQUEST, id: 'req-2', ...changes },
});
const identifying: Identifying = { kind: 'identifying', request: REQUEST, over: null };
const overHeld: Identifying = { ...identifying, over: open('held', 'held').record };
const identified = (retained: Retained | null = null): UpdateEvent => ({
  kind: 'identified',
  from: OLD,
  retained,
});
const KEPT: Retained = { file: '/kept/program', release: NEW, backup: BACKUP };
const FAILURE = { code: 'UPDATE_UNAVAILABLE', detail: 'EIO' } as const;
const held = (automatic: boolean): Memory => ({
  ...NO_MEMORY,
  policy: { ...NO_MEMORY.policy, hold: { at: 1, by: 'somebody', reason: 'Holidays.', automatic } },
});

/** Every state with everything that can be waited for in it. */
const ALL = UPDATE_STATES.flatMap((state) => SITUATIONS[state].map((what) => open(state, what)));
const CANCELLABLE = ['requested', 'staging', 'staged', 'quiescing', 'backing-up'];

describe('a request to begin', () => {
  test('is looked into before anything is durable', () => {
    const step = from(none, ask());
    assert.equal(whereTo(step), 'identifying');
    assert.deepEqual(inShort(step.effects), ['-held-poll', 'identify null']);
  });

  test('names the former version that is wanted', () => {
    const step = from(none, ask({ command: 'rollback', version: '0.9.0' }));
    assert.deepEqual(inShort(step.effects), ['-held-poll', 'identify 0.9.0']);
  });

  test('is acknowledged once the update is durable, and then carried out', () => {
    const step = from(identifying, identified());
    assert.equal(whereTo(step), 'staging/staging');
    assert.deepEqual(inShort(step.effects), [
      'persist requested',
      'answer req-1 upd_fresh',
      'persist staging',
      'stage',
    ]);
    const first = step.effects[0];
    assert.ok(first?.kind === 'persist');
    assert.deepEqual(first.record, {
      ...RECORD,
      txn: 'upd_fresh',
      seq: 1,
      to: null,
      startedAt: CONTEXT.wallMs,
      stagingLeft: 3,
      triesLeft: 3,
      handOversLeft: 2,
      database: {
        backup: null,
        newVersionStarted: false,
        restored: false,
        wanted: null,
        wantedRestored: false,
      },
      steps: [{ state: 'requested', at: CONTEXT.wallMs, ms: null }],
    });
  });

  test('for a former version knows it, and the database that it had', () => {
    const back: Identifying = {
      ...identifying,
      request: { ...REQUEST, command: 'rollback', version: '2.0.0' },
    };
    const { record } = opened(from(back, identified(KEPT)));
    assert.equal(record.kind, 'rollback');
    assert.deepEqual(record.to, NEW);
    assert.deepEqual(record.database.wanted, BACKUP);
  });

  test('for a version that is not kept is refused', () => {
    const back: Identifying = {
      ...identifying,
      request: { ...REQUEST, command: 'rollback', version: '2.0.0' },
    };
    const step = from(back, identified(null));
    assert.equal(whereTo(step), 'none');
    assert.deepEqual(inShort(step.effects), ['answer req-1 UPDATE_VERSION_UNKNOWN']);
  });

  test('that cannot be looked into is refused', () => {
    const step = from(identifying, { kind: 'act-failed', failure: FAILURE });
    assert.equal(whereTo(step), 'none');
    assert.deepEqual(inShort(step.effects), ['answer req-1 UPDATE_UNAVAILABLE']);
  });

  test('with the id of the open update is answered with it again, in every state', () => {
    for (const work of ALL) {
      const step = from(work, ask({ id: 'req-1' }));
      assert.equal(step.machine.work, work);
      assert.deepEqual(inShort(step.effects), ['answer req-1 upd_1']);
    }
  });

  test('is refused while another update is open, in every state but held', () => {
    for (const work of ALL) {
      const step = from(work, ask());
      if (work.record.state === 'held') assert.equal(whereTo(step), 'identifying');
      else assert.deepEqual(inShort(step.effects), ['answer req-2 UPDATE_IN_PROGRESS']);
    }
    assert.deepEqual(inShort(from(identifying, ask()).effects), [
      'answer req-2 UPDATE_IN_PROGRESS',
    ]);
  });

  test('is refused where this program cannot be updated, or is about to end', () => {
    const { effects } = from(none, ask(), {}, { unavailable: FAILURE });
    assert.deepEqual(inShort(effects), ['answer req-2 UPDATE_UNAVAILABLE']);
    const ending = from(none, ask(), {}, { isStopping: true });
    assert.deepEqual(inShort(ending.effects), ['answer req-2 UPDATE_UNAVAILABLE']);
  });

  const HOLDS = [
    ['a hold of a person stops a person too', false, {}, true],
    ['so does one of the supervisor', true, {}, true],
    ['force passes over it', false, { force: true }, false],
    [
      'a former version may be gone back to all the same',
      false,
      { command: 'rollback', version: '1' },
      false,
    ],
    ['a schedule is stopped', true, { trigger: 'cron' }, true],
    ['a held host is stopped by a person', false, { trigger: 'held' }, true],
    ['but not by the supervisor itself', true, { trigger: 'held' }, false],
  ] as const;
  for (const [title, automatic, changes, isRefused] of HOLDS) {
    test(`on hold: ${title}`, () => {
      const step = from(none, ask(changes), {}, { memory: held(automatic) });
      assert.equal(whereTo(step), isRefused ? 'none' : 'identifying');
      if (isRefused) assert.deepEqual(inShort(step.effects), ['answer req-2 UPDATE_ON_HOLD']);
    });
  }
});

describe('a request that takes the place of a held update', () => {
  test('leaves it held, and looking for a release, where it comes to nothing', () => {
    for (const event of [{ kind: 'act-failed', failure: FAILURE } as const, identified(null)]) {
      const work = {
        ...overHeld,
        request: { ...REQUEST, command: 'rollback', version: '9' },
      } as const;
      const step = from(work, event);
      assert.equal(whereTo(step), 'held/held');
      assert.equal(opened(step).record, overHeld.over);
      assert.equal(inShort(step.effects).at(-1), '+held-poll:900000');
    }
  });
});

describe('a request to cancel', () => {
  for (const work of ALL) {
    const { state } = work.record;
    const isLegal = CANCELLABLE.includes(state);
    test(`${state}/${work.doing.what}: ${isLegal ? 'ends the update' : 'comes too late'}`, () => {
      const step = from(work, ask({ command: 'cancel', reason: 'Not today.' }));
      if (!isLegal) {
        assert.equal(step.machine.work, work);
        assert.deepEqual(inShort(step.effects), ['answer req-2 UPDATE_TOO_LATE_TO_CANCEL']);
        return;
      }
      assert.equal(whereTo(step), 'aborting/closing');
      assert.deepEqual(inShort(step.effects), [
        'cancel-act',
        '-idle-deadline',
        'persist aborting',
        'proceed',
        'resume',
        'close cancelled',
        'answer req-2 upd_1',
      ]);
      assert.deepEqual(opened(step).record.failure, {
        code: 'UPDATE_CANCELLED',
        detail: 'Not today.',
      });
    });
  }

  test('has nothing to cancel before an update is open', () => {
    for (const work of [none, identifying]) {
      const step = from(work, ask({ command: 'cancel' }));
      assert.deepEqual(inShort(step.effects), ['answer req-2 UPDATE_NONE_OPEN']);
    }
  });
});

describe('a request about the policy', () => {
  test('puts updates on hold, whatever is open', () => {
    for (const work of [none, identifying, ...ALL]) {
      const step = from(work, ask({ command: 'hold', reason: 'Holidays.' }));
      assert.equal(step.machine.work, work);
      assert.deepEqual(inShort(step.effects), ['save-policy hold']);
      const [save] = step.effects;
      assert.ok(save?.kind === 'save-policy');
      assert.equal(save.requestId, 'req-2');
      assert.deepEqual(save.policy.hold, {
        at: CONTEXT.wallMs,
        by: 'somebody',
        reason: 'Holidays.',
        automatic: false,
      });
    }
  });

  test('is in force once it is durable', () => {
    const { policy } = held(false);
    const step = from(none, { kind: 'policy-saved', policy });
    assert.equal(step.machine.memory.policy, policy);
  });

  test('ends the hold and forgets the bad ones in a row, whatever is open', () => {
    for (const work of ALL) {
      const step = from(work, ask({ command: 'resume' }), {}, { memory: badMemory(OLD, NEW) });
      const save = step.effects.find(({ kind }) => kind === 'save-policy');
      assert.ok(save?.kind === 'save-policy');
      assert.deepEqual([save.policy.hold, save.policy.badInARow], [null, []]);
      if (work.record.state !== 'held') assert.equal(step.machine.work, work);
    }
  });

  test('has a held host try the old version again', () => {
    const step = from(open('held', 'held'), ask({ command: 'resume' }));
    assert.equal(whereTo(step), 'rolling-back/suspending');
    assert.deepEqual(inShort(step.effects), [
      '-held-poll',
      'cancel-act',
      '-probe',
      'persist rolling-back',
      'suspend',
      // With it the answer is given, which a crash must not make untrue.
      'save-policy no hold',
    ]);
  });

  test('a question about the status changes nothing', () => {
    for (const work of [none, identifying, ...ALL]) {
      const step = from(work, ask({ command: 'status' }));
      assert.equal(step.machine.work, work);
      assert.deepEqual(inShort(step.effects), ['answer req-2 ok']);
    }
  });
});
