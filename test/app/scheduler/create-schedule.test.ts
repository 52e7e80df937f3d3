import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { REAL_CLOCK } from '../../../app/scheduler/clock.ts';
import { createSchedule, type JobWork } from '../../../app/scheduler/create-schedule.ts';
import { cronTimes } from '../../../app/scheduler/cron-times.ts';
import { processMark } from '../../../app/scheduler/process-mark.ts';
import type { Beginning, TakenTick } from '../../../app/scheduler/take-tick.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import { keepLog } from '../../helpers/log-lines.ts';
import { newTask, openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { TestClock } from './test-clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = '2026-01-02T12:05:00.000Z';

type Wish = {
  readonly cron?: string;
  readonly zone?: string;
  readonly at?: string;
  readonly call?: () => Promise<Outcome<string>>;
  readonly idleReason?: () => string | undefined;
};

/** A schedule of one job over a real database, since `at`. */
function make(context: TestContext, wish: Wish = {}) {
  const { cron = '*/15 * * * *', zone = 'UTC', at = START, call, idleReason } = wish;
  const clock = new TestClock(at);
  const { store } = openTestStore(context, makeTempFolder(context));
  const ticks: string[] = [];
  const failures: (string | undefined)[] = [];
  const { log, lines } = keepLog();
  let made = 0;
  const beginTask = (): Beginning => {
    const why = idleReason?.();
    if (why !== undefined) return { kind: 'idle', why };
    const id = `tsk_${++made}`;
    store.tasks.insert(newTask({ id, unit: id, created_at: clock.now() }));
    return { kind: 'task', taskId: id };
  };
  const work: JobWork = call
    ? { kind: 'call', call }
    : { kind: 'task', begin: beginTask, onMade: () => undefined };
  const name = call ? ('self-update' as const) : ('prune' as const);
  const timing = { times: cronTimes(cron, zone), share: 0, spreadMs: 0 };
  const serve = (over: { clock?: typeof clock } = {}) => {
    const schedule = createSchedule({
      jobs: [{ name, timing, work }],
      ...{ store: { ...store, madeAt: Date.parse(at) }, clock, mark: processMark(), log, ...over },
      onTick: ({ dueAt }: TakenTick, failure) => {
        ticks.push(new Date(dueAt).toISOString().slice(5, 16));
        failures.push(failure?.code);
      },
    });
    context.after(() => schedule.close());
    return schedule;
  };
  return { clock, store, ticks, failures, lines, serve, name };
}

describe('the schedule', () => {
  test('has a job begin at each of its times, each once', (t) => {
    const { clock, ticks, serve, store } = make(t);
    const schedule = serve();
    clock.pass(HOUR);
    assert.deepEqual(ticks, [], 'not before it is started');
    clock.jump(-HOUR);
    schedule.start();
    schedule.start();
    assert.equal(clock.waiting, 1);
    clock.pass(HOUR);
    assert.deepEqual(ticks, ['01-02T12:15', '01-02T12:30', '01-02T12:45', '01-02T13:00']);
    assert.equal(store.schedule.find('prune')?.task_id, 'tsk_4');
  });

  test('begins at once what becomes due while it looks', (t) => {
    const { clock, ticks, serve } = make(t);
    serve().start();
    clock.pass(10 * MINUTE - 1);
    // The timer comes a little early, and each look at the clock takes a millisecond.
    let early = 2;
    const { mock } = t.mock.method(clock, 'now', () => Date.parse(START) + 10 * MINUTE - early--);
    clock.pass(1);
    assert.ok(early < 0, String(early));
    assert.deepEqual(ticks, []);
    mock.restore();
    clock.pass(5);
    assert.deepEqual(ticks, ['01-02T12:15']);
  });

  test('makes up once, and at once, for what was missed while nothing ran', (t) => {
    const { clock, ticks, serve } = make(t);
    clock.jump(50 * HOUR);
    serve().start();
    clock.pass(5 * MINUTE);
    assert.deepEqual(ticks, ['01-04T14:00']);
  });

  test('makes up once for what was missed while the machine slept', (t) => {
    const { clock, ticks, lines, serve } = make(t);
    serve().start();
    clock.jump(9 * HOUR);
    clock.pass(30_000);
    assert.deepEqual(ticks, ['01-02T21:00']);
    assert.equal(lines.find(({ jumpMs }) => jumpMs === 9 * HOUR)?.['level'], 30);
    clock.pass(HOUR);
    assert.equal(ticks.length, 5);
  });

  test('goes by the new time where the clock is set back, and does nothing twice for a small step', (t) => {
    const { clock, ticks, serve } = make(t, { cron: '0 * * * *' });
    serve().start();
    clock.pass(HOUR);
    assert.deepEqual(ticks, ['01-02T13:00']);
    clock.jump(-10 * MINUTE);
    clock.pass(30 * MINUTE);
    assert.deepEqual(ticks, ['01-02T13:00'], '13:00 has come a second time');
    clock.pass(HOUR);
    assert.deepEqual(ticks, ['01-02T13:00', '01-02T14:00']);
    clock.jump(-30 * 24 * HOUR);
    clock.pass(2 * HOUR);
    assert.equal(ticks.length, 5, ticks.join(' '));
  });

  test('keeps to the time of the day where clocks are put forward and back', (t) => {
    for (const [at, expected] of [
      ['2026-03-28T12:00:00.000Z', ['03-29T01:00', '03-30T00:30']],
      ['2026-10-24T12:00:00.000Z', ['10-25T00:30', '10-26T01:30']],
    ] as const) {
      const { clock, ticks, serve } = make(t, { cron: '30 2 * * *', zone: 'Europe/Berlin', at });
      serve().start();
      clock.pass(46 * HOUR);
      assert.deepEqual(ticks, expected);
    }
  });

  test('served by two at once begins each time once', (t) => {
    const { clock, ticks, serve } = make(t);
    serve().start();
    serve().start();
    clock.pass(10 * HOUR);
    assert.equal(ticks.length, 40);
    assert.equal(new Set(ticks).size, 40);
  });

  test('lets a time pass for which there is nothing to do, and says why', (t) => {
    let reason: string | undefined = 'no unit asks for it';
    const { clock, ticks, serve, store } = make(t, { idleReason: () => reason });
    serve().start();
    clock.pass(15 * MINUTE);
    const row = store.schedule.find('prune');
    assert.deepEqual([ticks, row?.result, row?.task_id], [[], reason, null]);
    reason = undefined;
    clock.pass(15 * MINUTE);
    assert.deepEqual(ticks, ['01-02T12:30']);
  });

  test('tries again after a failure of the database, at the same due time', (t) => {
    const { clock, ticks, lines, serve, store } = make(t);
    serve().start();
    const broken = t.mock.method(store.schedule, 'claim', () => {
      throw new Error('the disk is gone');
    });
    clock.pass(10 * MINUTE + 45_000);
    assert.ok(broken.mock.callCount() >= 1 && broken.mock.callCount() <= 3);
    broken.mock.restore();
    clock.pass(MINUTE);
    assert.deepEqual(ticks, ['01-02T12:15']);
    assert.equal(lines.find(({ level }) => level === 50)?.['job'], 'prune');
  });

  test('once closed begins nothing more', (t) => {
    const { clock, ticks, serve } = make(t);
    const schedule = serve();
    schedule.start();
    schedule.close();
    schedule.start();
    clock.pass(HOUR);
    assert.deepEqual([ticks, clock.waiting], [[], 0]);
  });
});

describe('a call of the schedule', () => {
  test('does not overlap one that goes on, and its end is written', async (t) => {
    const answers = [
      Promise.withResolvers<Outcome<string>>(),
      Promise.withResolvers<Outcome<string>>(),
    ];
    let calls = 0;
    const { clock, serve, store, failures } = make(t, {
      call: () => answers[calls++]?.promise ?? Promise.resolve(succeed('')),
    });
    serve().start();
    clock.pass(40 * MINUTE);
    assert.equal(calls, 1);
    assert.equal(store.schedule.find('self-update')?.ended_at, null);
    answers[0]?.resolve(succeed('asked for: upd_1'));
    await turn();
    assert.equal(store.schedule.find('self-update')?.result, 'asked for: upd_1');
    clock.pass(30_000);
    assert.equal(calls, 2);
    answers[1]?.resolve(fail('UPDATE_ON_HOLD', 'So.'));
    await turn();
    assert.equal(store.schedule.find('self-update')?.error_code, 'UPDATE_ON_HOLD');
    assert.deepEqual(failures, [undefined, 'UPDATE_ON_HOLD']);
  });

  test('that throws is a failure, and is called again the next time', async (t) => {
    let calls = 0;
    const { clock, serve, store } = make(t, {
      call: () => {
        calls++;
        return Promise.reject(new TypeError('oh'));
      },
    });
    serve().start();
    clock.pass(15 * MINUTE);
    await turn();
    assert.equal(store.schedule.find('self-update')?.error_code, 'INTERNAL');
    clock.pass(15 * MINUTE);
    assert.equal(calls, 2);
  });

  test('that ends after the schedule was closed writes nothing', async (t) => {
    const answer = Promise.withResolvers<Outcome<string>>();
    const { clock, serve, store, failures } = make(t, { call: () => answer.promise });
    const schedule = serve();
    schedule.start();
    clock.pass(15 * MINUTE);
    schedule.close();
    answer.resolve(succeed('late'));
    await turn();
    assert.deepEqual([store.schedule.find('self-update')?.ended_at, failures], [null, []]);
  });
});

test('with the clocks of the machine a job begins within a second of its time, also behind a jump', async (t) => {
  const { store } = openTestStore(t, makeTempFolder(t));
  let offsetMs = 0;
  const clock = { ...REAL_CLOCK, now: () => Date.now() + offsetMs };
  const began: { due: number; at: number }[] = [];
  let onTick: () => void = () => undefined;
  const timing = { times: cronTimes('* * * * * *', 'UTC'), share: 0, spreadMs: 0 };
  const call = () => Promise.resolve(succeed('done'));
  const schedule = createSchedule({
    jobs: [{ name: 'self-update', timing, work: { kind: 'call', call } }],
    ...{ store: { ...store, madeAt: clock.now() }, clock, mark: processMark(), log: keepLog().log },
    onTick: ({ dueAt }) => {
      began.push({ due: dueAt, at: clock.now() });
      onTick();
    },
  });
  t.after(() => schedule.close());
  const next = () => new Promise<void>((resolve) => (onTick = resolve));
  schedule.start();
  await next();
  offsetMs = 7_200_000;
  await next();
  offsetMs = -86_400_000;
  await next();
  await next();
  for (const { due, at } of began) assert.ok(at - due < 1_000, `${at - due} ms late`);
});
