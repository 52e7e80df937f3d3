import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { tickEvery } from '../../../app/scheduler/tick-every.ts';
import { TestClock } from './test-clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A clock that ticks every ten minutes, since 12:05. */
function start({ maxTicks = Number.POSITIVE_INFINITY, tick = () => Promise.resolve() } = {}) {
  const clock = new TestClock('2026-01-02T12:05:00.000Z');
  const ticks: string[] = [];
  const ending = new AbortController();
  const done = tickEvery({
    ...{ clock, everyMs: 10 * MINUTE, maxTicks, signal: ending.signal },
    async tick(dueAt) {
      ticks.push(new Date(dueAt).toISOString().slice(11, 16));
      await tick();
    },
  });
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= MINUTE) {
      await turn();
      clock.pass(Math.min(left, MINUTE));
    }
    await turn();
  };
  return { clock, ticks, ending, done, pass };
}

describe('a clock that ticks at an interval', () => {
  test('begins at once, and goes on at each multiple of the interval', async () => {
    const { ticks, pass, ending, done } = start();
    await turn();
    assert.deepEqual(ticks, ['12:00']);
    await pass(26 * MINUTE);
    assert.deepEqual(ticks, ['12:00', '12:10', '12:20', '12:30']);
    ending.abort();
    await done;
  });

  test('ends after so many ticks', async () => {
    const { ticks, pass, done } = start({ maxTicks: 2 });
    await pass(HOUR);
    await done;
    assert.deepEqual(ticks, ['12:00', '12:10']);
  });

  test('ends at once when it is told to, with no timer left', async () => {
    const { clock, ticks, ending, done } = start();
    await turn();
    ending.abort();
    await done;
    assert.deepEqual([ticks.length, clock.waiting], [1, 0]);
  });

  test('makes up once for what came while it was busy', async () => {
    let free = Promise.withResolvers<void>();
    const { ticks, pass, ending, done } = start({ tick: () => free.promise });
    await pass(45 * MINUTE);
    assert.deepEqual(ticks, ['12:00']);
    free.resolve();
    free = Promise.withResolvers<void>();
    await turn();
    assert.deepEqual(ticks, ['12:00', '12:50']);
    free.resolve();
    ending.abort();
    await done;
  });

  test('goes on within an interval wherever the clock is set', async () => {
    const { clock, ticks, pass, ending, done } = start();
    await turn();
    clock.jump(5 * HOUR);
    await pass(MINUTE);
    assert.deepEqual(ticks, ['12:00', '17:00']);
    clock.jump(-48 * HOUR);
    await pass(11 * MINUTE);
    assert.equal(ticks.length, 4, ticks.join(' '));
    ending.abort();
    await done;
  });
});
