import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createMaintenanceSchedule } from '../../../app/scheduler/maintenance-schedule.ts';
import { keepLog } from '../../helpers/log-lines.ts';

const START = new Date('2030-01-01T12:00:30.000Z');

function makeSchedule(
  context: TestContext,
  {
    prune = '*/10 * * * *',
    backup = 'off',
    last = { prune: START.getTime(), backup: START.getTime() },
    fails = false,
  } = {},
) {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: START });
  const begun: string[] = [];
  const ticks: string[] = [];
  const { log, lines } = keepLog();
  const schedule = createMaintenanceSchedule({
    crons: { prune, backup },
    lastAt: (action) => last[action],
    begin(action) {
      if (fails) throw new Error('the disk is gone');
      begun.push(action);
      return `tsk_${begun.length}`;
    },
    onTick: (action, id) => ticks.push(`${action} ${id}`),
    log,
  });
  context.after(() => schedule.close());
  const pass = async (minutes: number) => {
    for (let second = 0; second < minutes * 60; second++) {
      context.mock.timers.tick(1_000);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
  };
  return { schedule, begun, ticks, lines, pass };
}

describe('the schedule of maintenance', () => {
  test('begins it whenever its expression says so', async (t) => {
    const now = START.getTime() + 12 * 60_000;
    const last = { prune: now, backup: now };
    const { schedule, begun, ticks, pass } = makeSchedule(t, { last });
    await pass(11);
    assert.deepEqual(begun, [], 'not before it is started');
    schedule.start();
    schedule.start();
    await pass(8);
    assert.deepEqual(begun, []);
    await pass(12);
    assert.deepEqual(ticks, ['prune tsk_1', 'prune tsk_2']);
  });

  test('begins at once what was missed while nothing ran', async (t) => {
    const now = START.getTime();
    const last = { prune: now - 20 * 60_000, backup: now - 20 * 60_000 };
    const { schedule, begun } = makeSchedule(t, { backup: '0 3 * * *', last });
    schedule.start();
    assert.deepEqual(begun, ['prune'], 'the backup is not due yet');
  });

  test('goes on after a failure, and says what it was', async (t) => {
    const { schedule, lines, pass } = makeSchedule(t, { fails: true });
    schedule.start();
    await pass(20);
    assert.equal(
      lines.filter(({ msg }) => msg === 'scheduled maintenance could not begin').length,
      2,
    );
  });

  test('once closed begins nothing more', async (t) => {
    const { schedule, begun, pass } = makeSchedule(t);
    schedule.start();
    schedule.close();
    schedule.start();
    await pass(30);
    assert.deepEqual(begun, []);
  });
});
