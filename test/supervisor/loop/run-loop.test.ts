import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Failure } from '../../../shared/contract/outcome.ts';
import { FIXED_POLICY } from '../../../supervisor/core/restart-policy.ts';
import type { SupervisorEvent, SupervisorInputs } from '../../../supervisor/core/supervisor.ts';
import { NO_MEMORY } from '../../../supervisor/core/update/outcome.ts';
import { createLoop, type LoopParts } from '../../../supervisor/loop/run-loop.ts';
import { CONTEXT, OLD, REQUEST } from '../core/update/fixture.ts';

const INPUTS: SupervisorInputs = {
  ...CONTEXT,
  policy: {
    ...FIXED_POLICY,
    backoffInitialMs: 500,
    backoffMaxMs: 60_000,
    stopTimeoutMs: 30_000,
    trialStartTimeoutMs: 60_000,
  },
};

const FULL: Failure = { code: 'UPDATE_RECORD_UNWRITABLE', detail: 'ENOSPC' };

const BOOT: SupervisorEvent = {
  to: 'boot',
  found: { record: null, memory: NO_MEMORY, unavailable: null, slot: 'target', targetDigest: null },
};
const ASK: SupervisorEvent = { to: 'update', event: { kind: 'request', request: REQUEST } };
const IDENTIFIED: SupervisorEvent = {
  to: 'update',
  event: { kind: 'identified', from: OLD, retained: null },
};

/** A loop; what it did in order, with `;` after each event. */
function makeLoop(parts: Partial<LoopParts> = {}) {
  const done: string[] = [];
  const loop = createLoop({
    inputs: () => INPUTS,
    persist: ({ state }) => {
      done.push(`persist ${state}`);
      return undefined;
    },
    perform: ({ kind }) => {
      if (kind !== 'report') done.push(kind);
    },
    onSettled: () => done.push(';'),
    ...parts,
  });
  return { ...loop, done };
}

/** Everything up to the request, whose answer is identity. */
const FIRST = ['resume-worker', ';', 'clear-update-timer', 'identify', ';'];

describe('createLoop', () => {
  test('begins the effects of an event in order, and then says how things stand', () => {
    const { post, done, state } = makeLoop();
    for (const event of [BOOT, ASK, IDENTIFIED]) post(event);
    const opened = ['persist requested', 'answer', 'persist staging', 'stage', ';'];
    assert.deepEqual(done, [...FIRST, ...opened]);
    assert.equal(state().update.work.kind, 'open');
  });

  test('what an effect posts waits for its turn, and sees the state in force', () => {
    const loop = makeLoop({
      perform: ({ kind }) => {
        loop.done.push(kind);
        if (kind === 'resume-worker') {
          loop.post({ to: 'worker', event: { kind: 'resume', trial: false } });
          loop.post({ to: 'worker', event: { kind: 'stop-requested', signal: 'SIGTERM' } });
          assert.equal(loop.state().worker.phase, 'idle');
        }
        if (kind === 'start-worker') assert.equal(loop.state().worker.phase, 'starting');
      },
    });
    loop.post(BOOT);
    assert.equal(loop.state().worker.phase, 'stopping');
    const ends = loop.done.filter((what) => what === ';' || what.endsWith('-worker'));
    assert.deepEqual(ends, ['resume-worker', ';', 'start-worker', ';', ';']);
  });

  test('tells the update of what concerns it, after the event that it came with', () => {
    const { post, done } = makeLoop();
    post(BOOT);
    post({ to: 'worker', event: { kind: 'suspend' } });
    assert.deepEqual(done.slice(2), [
      // Nothing came of it for the worker; then the update was told, and it had nothing open.
      'set-standby-timer',
      ';',
      ';',
    ]);
  });

  test('where the record cannot be made durable, nothing behind it is begun, and the update is told', () => {
    const { post, done, state } = makeLoop({
      persist: ({ state: to }) => {
        done.push(`persist ${to}`);
        return FULL;
      },
    });
    for (const event of [BOOT, ASK, IDENTIFIED]) post(event);
    const behind = done.slice(FIRST.length);
    assert.deepEqual(behind.slice(0, 3), ['persist requested', 'answer', ';']);
    assert.equal(behind.includes('stage'), false);
    const { work } = state().update;
    assert.deepEqual(work.kind === 'open' && work.record.failure, FULL);
  });

  test('where the record cannot be made durable, whoever asked for it is told so', () => {
    const answers: (string | undefined)[] = [];
    let isFull = false;
    const { post } = makeLoop({
      persist: () => (isFull ? FULL : undefined),
      perform: (effect) => {
        if (effect.kind === 'answer') answers.push(`${effect.id}: ${effect.failure?.code}`);
      },
    });
    for (const event of [BOOT, ASK, IDENTIFIED]) post(event);
    isFull = true;
    const request = { ...REQUEST, id: 'req-2', command: 'cancel' } as const;
    post({ to: 'update', event: { kind: 'request', request } });
    assert.deepEqual(answers, [`${REQUEST.id}: undefined`, `req-2: ${FULL.code}`]);
  });

  test('is watched around each effect, and an effect that was dropped is not one that was done', () => {
    const seen: string[] = [];
    const observe: LoopParts['observe'] = (when, { kind }) => seen.push(`${when} ${kind}`);
    const failing = makeLoop({ observe, persist: () => FULL });
    for (const event of [BOOT, ASK]) failing.post(event);
    assert.deepEqual(seen.slice(0, 2), ['before resume-worker', 'after resume-worker']);
    seen.length = 0;
    failing.post(IDENTIFIED);
    assert.equal(seen[0], 'before persist');
    assert.equal(seen.includes('after persist'), false);
  });

  test('an effect that throws ends its event, and the next one is taken as ever', () => {
    let isBroken = true;
    const { post, done } = makeLoop({
      perform: ({ kind }) => {
        done.push(kind);
        if (isBroken) throw new Error('a bug');
      },
    });
    assert.throws(() => post(BOOT), /a bug/);
    isBroken = false;
    post({ to: 'worker', event: { kind: 'resume', trial: false } });
    assert.equal(done.includes('start-worker'), true);
  });
});
