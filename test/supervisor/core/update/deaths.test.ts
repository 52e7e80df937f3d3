import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpdateRecord } from '../../../../shared/contract/update-record.ts';
import type { Open, UpdateEvent } from '../../../../supervisor/core/update/machine.ts';
import { from, inShort, NEW, OLD, open, opened, whereTo } from './fixture.ts';

type Death = Extract<UpdateEvent, { kind: 'worker-failed' }>;

const died = (changes: Partial<Death> = {}): Death => ({
  kind: 'worker-failed',
  how: 'exited',
  code: 1,
  signal: null,
  reason: '',
  ...changes,
});
const crash = died();
const killed = died({ code: null, signal: 'SIGSEGV' });
const slow = died({ how: 'timed-out', code: null, signal: 'SIGKILL' });
const refuses = died({ code: 78 });
const unborn = died({ how: 'not-started', code: null, reason: 'ENOENT' });

const TRY = (state: UpdateRecord['state']) => [`persist ${state}`, 'resume on trial'];
const BACK = ['cancel-act', '-probe', 'persist rolling-back', 'suspend'];

/** Where a worker on trial may die, and the state in which it is tried again. */
const TRIALS: readonly Open[] = [
  open('trial', 'starting'),
  open('trial', 'soaking'),
  open('trial', 'checking'),
  open('handing-over', 'starting'),
  open('handing-over', 'soaking'),
];

describe('the death of a new worker', () => {
  for (const work of TRIALS) {
    const { state } = work.record;
    const at = `${state}/${work.doing.what}`;

    test(`${at}: a crash is tried again, and what it was asked is forgotten`, () => {
      for (const death of [crash, killed, unborn]) {
        const step = from(work, death);
        assert.equal(whereTo(step), `${state}/starting`);
        assert.deepEqual(inShort(step.effects), ['cancel-act', ...TRY(state)]);
        assert.equal(opened(step).record.triesLeft, 1);
      }
    });

    test(`${at}: the last crash goes back and says how it ended`, () => {
      const last = { ...work, record: { ...work.record, triesLeft: 0 } };
      const ends = [
        [crash, 'It exited with 1.'],
        [killed, 'It was ended by SIGSEGV.'],
        [unborn, 'It could not be started: ENOENT.'],
      ] as const;
      for (const [death, detail] of ends) {
        const step = from(last, death);
        assert.equal(whereTo(step), 'rolling-back/suspending');
        assert.deepEqual(inShort(step.effects), BACK);
        assert.deepEqual(opened(step).record.failure, { code: 'UPDATE_START_FAILED', detail });
      }
    });

    test(`${at}: what would not be cured by trying again goes back at once`, () => {
      const rows = [
        [slow, 'UPDATE_START_TIMEOUT'],
        [refuses, 'UPDATE_CONFIG_REJECTED'],
      ] as const;
      for (const [death, code] of rows) {
        const step = from(work, death);
        assert.equal(whereTo(step), 'rolling-back/suspending');
        assert.equal(opened(step).record.failure?.code, code);
      }
    });
  }

  test('who comes up must be what was installed, by version and digest', () => {
    const rows = [
      [{ version: NEW.version, digest: NEW.digest }, 'trial/soaking', null],
      [
        { version: '9.9.9', digest: NEW.digest },
        'rolling-back/suspending',
        'It calls itself 9.9.9',
      ],
      [{ version: NEW.version, digest: OLD.digest }, 'rolling-back/suspending', 'Its digest is'],
      // A new program always names its digest.
      [{ version: NEW.version, digest: null }, 'rolling-back/suspending', 'Its digest is null'],
    ] as const;
    for (const [who, next, detail] of rows) {
      const step = from(open('trial', 'starting'), {
        kind: 'worker-up',
        readiness: { schema: 2, ...who },
      });
      assert.equal(whereTo(step), next);
      const { failure } = opened(step).record;
      if (detail === null) assert.equal(failure, null);
      else assert.ok(failure?.code === 'UPDATE_WRONG_PROGRAM' && failure.detail.includes(detail));
    }
  });

  test('where nothing was chosen, nothing that comes up can be it', () => {
    const step = from(open('trial', 'starting', { to: null }), {
      kind: 'worker-up',
      readiness: { ...NEW, schema: 1 },
    });
    assert.equal(opened(step).record.failure?.code, 'UPDATE_WRONG_PROGRAM');
  });
});

describe('the death of the old worker that was put back', () => {
  for (const work of [open('rolling-back', 'starting'), open('rolling-back', 'soaking')]) {
    test(`${work.doing.what}: a crash is tried again, three times in all`, () => {
      for (const attempts of [1, 2]) {
        const again = { ...work, record: { ...work.record, rollbackAttempts: attempts } };
        const step = from(again, crash);
        assert.equal(whereTo(step), 'rolling-back/starting');
        assert.deepEqual(inShort(step.effects), ['cancel-act', ...TRY('rolling-back')]);
        assert.equal(opened(step).record.rollbackAttempts, attempts + 1);
      }
      const last = { ...work, record: { ...work.record, rollbackAttempts: 3 } };
      assert.equal(whereTo(from(last, crash)), 'held/held');
    });

    test(`${work.doing.what}: a hang, or a refusal of the configuration, holds at once`, () => {
      for (const death of [slow, refuses]) {
        const step = from(work, death);
        assert.equal(whereTo(step), 'held/held');
        assert.deepEqual(inShort(step.effects), ['persist held', 'suspend', '+held-poll:900000']);
      }
    });
  }

  test('a program from before the first update need not name its digest', () => {
    const step = from(open('rolling-back', 'starting'), {
      kind: 'worker-up',
      readiness: { version: OLD.version, schema: 1, digest: null },
    });
    assert.equal(whereTo(step), 'rolling-back/soaking');
  });

  test('another program than the old one holds', () => {
    const step = from(open('rolling-back', 'starting'), {
      kind: 'worker-up',
      readiness: { version: NEW.version, schema: 1, digest: null },
    });
    assert.equal(whereTo(step), 'held/held');
  });
});
