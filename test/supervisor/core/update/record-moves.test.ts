import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { advance, doing } from '../../../../supervisor/core/update/record-moves.ts';
import { CONTEXT, open } from './fixture.ts';

describe('advance', () => {
  const work = open('trial', 'starting', {
    steps: [
      { state: 'switching', at: 1, ms: 20 },
      { state: 'trial', at: 2, ms: null },
    ],
  });

  test('the next state is one record more, in this boot, and times the step before it', () => {
    const context = { ...CONTEXT, bootId: 'boot-2' };
    const next = advance(work, 'rolling-back', { triesLeft: 0 }, context);
    assert.deepEqual(next.record, {
      ...work.record,
      state: 'rolling-back',
      triesLeft: 0,
      seq: work.record.seq + 1,
      bootId: 'boot-2',
      steps: [
        { state: 'switching', at: 1, ms: 20 },
        { state: 'trial', at: 2, ms: 100 },
        { state: 'rolling-back', at: CONTEXT.wallMs, ms: null },
      ],
    });
    assert.equal(next.sinceMs, CONTEXT.nowMs);
  });

  test('the same state again is one record more, but the same step', () => {
    const next = advance(work, 'trial', { triesLeft: 0 }, { ...CONTEXT, nowMs: CONTEXT.nowMs + 5 });
    assert.equal(next.record.seq, work.record.seq + 1);
    assert.equal(next.record.steps, work.record.steps);
    assert.equal(next.sinceMs, work.sinceMs);
  });

  test('a step of which nobody knows when it began takes no time that is known', () => {
    const next = advance({ ...work, sinceMs: null }, 'rolling-back', {}, CONTEXT);
    assert.equal(next.record.steps.at(-2)?.ms, null);
  });

  test('no step takes less than no time', () => {
    const next = advance({ ...work, sinceMs: CONTEXT.nowMs + 9 }, 'rolling-back', {}, CONTEXT);
    assert.equal(next.record.steps.at(-2)?.ms, 0);
  });

  test('a record has no more steps than its format allows, the newest of them', () => {
    let long = work;
    for (let n = 0; n < 300; n++)
      long = advance(long, n % 2 ? 'trial' : 'rolling-back', {}, CONTEXT);
    assert.ok(long.record.steps.length <= 200);
    assert.equal(long.record.steps.at(-1)?.state, 'trial');
  });
});

test('doing changes what is waited for and nothing else', () => {
  const work = open('trial', 'starting');
  assert.deepEqual(doing(work, 'checking'), { ...work, doing: { what: 'checking' } });
});
