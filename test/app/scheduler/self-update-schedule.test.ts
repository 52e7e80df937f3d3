import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createSelfUpdateSchedule } from '../../../app/scheduler/self-update-schedule.ts';
import type { ErrorCode } from '../../../shared/contract/error-codes.ts';
import { fail, type Outcome, succeed } from '../../../shared/contract/outcome.ts';
import type { UpdateAnswer, UpdateRequest } from '../../../shared/contract/update-request.ts';
import { keepLog } from '../../helpers/log-lines.ts';

const EVERY_SECOND = '* * * * * *';

type Answering = (request: UpdateRequest) => Outcome<UpdateAnswer> | Promise<Outcome<UpdateAnswer>>;

const ANSWER = succeed({ id: 'x', txn: 'upd_1', failure: null, status: null });

/** Lets a clock of the test run, second by second, and all that follows from each second happen. */
function startClock(context: TestContext, now = '2030-01-01T00:00:00.500Z') {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: new Date(now) });
  return async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      context.mock.timers.tick(1000);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  };
}

function makeSchedule(
  context: TestContext,
  { cron = EVERY_SECOND, dryRun = false, delayMs = 0, answer = (() => ANSWER) as Answering } = {},
) {
  const asked: UpdateRequest[] = [];
  const runs: Outcome<UpdateAnswer>[] = [];
  const { log, lines } = keepLog();
  const schedule = createSelfUpdateSchedule({
    cron,
    dryRun,
    log,
    delayMs: () => delayMs,
    onRun: (outcome) => runs.push(outcome),
    ask: (request) => {
      asked.push(request);
      return Promise.resolve(answer(request));
    },
  });
  context.after(() => schedule.close());
  return { schedule, asked, runs, lines };
}

describe('a schedule', () => {
  test('asks for an update whenever its expression says so', async (t) => {
    const pass = startClock(t);
    const { schedule, asked, lines } = makeSchedule(t, { cron: '*/2 * * * *', dryRun: true });
    schedule.start();
    await pass(119);
    assert.equal(asked.length, 0);
    await pass(1);
    assert.equal(asked.length, 1);
    const { command, trigger, by, dryRun } = asked[0] ?? {};
    assert.deepEqual([command, trigger, by, dryRun], ['run', 'cron', 'schedule', true]);
    await pass(120);
    assert.equal(asked.length, 2);
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['a scheduled self-update has begun', 'a scheduled self-update has begun'],
    );
  });

  test('does nothing before it is started, and once however often it is', async (t) => {
    const pass = startClock(t);
    const { schedule, asked } = makeSchedule(t);
    await pass(3);
    assert.equal(asked.length, 0);
    schedule.start();
    schedule.start();
    await pass(1);
    assert.equal(asked.length, 1);
  });

  test('waits a little each time, so that hosts do not come all at once', async (t) => {
    const pass = startClock(t);
    const { schedule, asked } = makeSchedule(t, { cron: '* * * * *', delayMs: 20_000 });
    schedule.start();
    await pass(79);
    assert.equal(asked.length, 0);
    await pass(1);
    assert.equal(asked.length, 1);
  });

  test('tells what came of each run, a refusal as often as it comes', async (t) => {
    const pass = startClock(t);
    const refusal = fail('UPDATE_ON_HOLD', 'x');
    const answers: Outcome<UpdateAnswer>[] = [ANSWER, refusal, refusal];
    const { schedule, runs } = makeSchedule(t, { answer: () => answers.shift() ?? ANSWER });
    schedule.start();
    await pass(3);
    assert.deepEqual(runs, [ANSWER, refusal, refusal]);
  });

  test('does not overlap a run that is still asking', async (t) => {
    const pass = startClock(t);
    const answer = Promise.withResolvers<Outcome<UpdateAnswer>>();
    const { schedule, asked } = makeSchedule(t, { answer: () => answer.promise });
    schedule.start();
    await pass(5);
    assert.equal(asked.length, 1);
    answer.resolve(ANSWER);
    await pass(2);
    assert.equal(asked.length, 2);
  });

  test('says when it comes next', (t) => {
    startClock(t);
    const { schedule } = makeSchedule(t, { cron: '30 0 4 * * *', dryRun: true });
    const next = new Date(2030, 0, 1, 4, 0, 30);
    const expected = next.getTime() > Date.now() ? next : new Date(2030, 0, 2, 4, 0, 30);
    assert.deepEqual(schedule.view(), {
      cron: '30 0 4 * * *',
      dry_run: true,
      next_run_at: expected.toISOString(),
    });
  });

  test('asks nothing more once it is closed, not even what it was waiting for', async (t) => {
    const pass = startClock(t);
    const { schedule, asked, lines } = makeSchedule(t, { delayMs: 500 });
    schedule.start();
    t.mock.timers.tick(600);
    schedule.close();
    schedule.start();
    await pass(5);
    assert.deepEqual([asked, lines], [[], []]);
  });

  test('asks nothing where it is closed before its first run', async (t) => {
    const pass = startClock(t);
    const { schedule, asked } = makeSchedule(t);
    schedule.start();
    schedule.close();
    schedule.start();
    await pass(3);
    assert.deepEqual(asked, []);
  });

  test('goes on after a bug in asking, which it logs', async (t) => {
    const pass = startClock(t);
    const { schedule, asked, lines } = makeSchedule(t, {
      answer: () => {
        throw new TypeError('oh');
      },
    });
    schedule.start();
    await pass(2);
    assert.equal(asked.length, 2);
    const said = 'the scheduled self-update could not be asked for';
    assert.deepEqual(
      lines.map(({ msg, level }) => [msg, level]),
      [
        [said, 50],
        [said, 50],
      ],
    );
  });
});

describe('what keeps a scheduled run back', () => {
  test('is logged once for each kind, until a run is taken again', async (t) => {
    const pass = startClock(t);
    const answers: (ErrorCode | undefined)[] = [
      'UPDATE_ON_HOLD',
      'UPDATE_ON_HOLD',
      'UPDATE_IN_PROGRESS',
      'UPDATE_ON_HOLD',
      undefined,
      'UPDATE_ON_HOLD',
    ];
    const { schedule, lines } = makeSchedule(t, {
      answer: () => {
        const code = answers.shift();
        return code === undefined ? ANSWER : fail(code, 'Seen so.');
      },
    });
    schedule.start();
    await pass(6);
    assert.deepEqual(
      lines.map(({ level, code }) => [level, code]),
      [
        [30, 'UPDATE_ON_HOLD'],
        [30, 'UPDATE_IN_PROGRESS'],
        [30, undefined],
        [30, 'UPDATE_ON_HOLD'],
      ],
    );
    assert.match(lines[0]?.msg ?? '', /^no scheduled self-update: UPDATE_ON_HOLD: .* Seen so\./);
  });

  test('is a warning each time where it is a fault', async (t) => {
    const pass = startClock(t);
    const { schedule, lines } = makeSchedule(t, {
      answer: () => fail('UPDATE_SUPERVISOR_UNREACHABLE', ''),
    });
    schedule.start();
    await pass(2);
    assert.deepEqual(
      lines.map(({ level, code }) => [level, code]),
      [
        [40, 'UPDATE_SUPERVISOR_UNREACHABLE'],
        [40, 'UPDATE_SUPERVISOR_UNREACHABLE'],
      ],
    );
  });
});
