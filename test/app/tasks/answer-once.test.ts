import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { IDEMPOTENCY_LIFE_MS } from '../../../app/db/idempotency-keys.ts';
import { answerOnce } from '../../../app/tasks/answer-once.ts';
import { takePlace } from '../../../app/tasks/limit-rate.ts';
import { succeed } from '../../../shared/contract/outcome.ts';
import { openTestStore } from '../../helpers/store.ts';

function openStore(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'podup-once-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return openTestStore(context, folder).store;
}

const CALL = { key: 'k', path: '/p', body: { a: 1, token: 'x' } };
const answering = (body: unknown) => () => succeed({ status: 202, body });

describe('answerOnce', () => {
  test('remembers nothing of what throws: neither the answer nor what was done', (t) => {
    const store = openStore(t);
    const act = () => {
      store.rateLimits.add('b', 1, 10);
      throw new Error('the power goes');
    };
    assert.throws(() => answerOnce(store, CALL, act));
    assert.deepEqual(store.rateLimits.list('b', 9), []);
    assert.deepEqual(answerOnce(store, CALL, answering('first')), {
      ok: true,
      value: { status: 202, body: 'first', isRepeated: false },
    });
  });

  test('gives an answer again for a day, whatever token the client has by then', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 1_000 });
    const store = openStore(t);
    answerOnce(store, CALL, answering('first'));
    t.mock.timers.setTime(1_000 + IDEMPOTENCY_LIFE_MS - 1);
    const again = answerOnce(store, { ...CALL, body: { token: 'y', a: 1 } }, answering('second'));
    assert.deepEqual(again, { ok: true, value: { status: 202, body: 'first', isRepeated: true } });
    t.mock.timers.setTime(1_000 + IDEMPOTENCY_LIFE_MS);
    const later = answerOnce(store, { ...CALL, body: { other: 1 } }, answering('third'));
    assert.equal(later.ok && later.value.body, 'third');
  });

  test('keeps a bounded number of answers', (t) => {
    const store = openStore(t);
    store.transact(() => {
      for (let at = 1; at <= 10_050; at++) {
        const row = { key: `k${at}`, request_sha256: '', status: 202, answer: '1' };
        store.idempotency.add({ ...row, created_at: at });
      }
    });
    const kept = (at: number) => store.idempotency.find(`k${at}`, 20_000) !== undefined;
    assert.deepEqual([kept(50), kept(51), kept(10_050)], [false, true, true]);
  });

  test('does without a key what it is asked each time', (t) => {
    const store = openStore(t);
    let count = 0;
    const act = () => succeed({ status: 202, body: ++count });
    answerOnce(store, { ...CALL, key: undefined }, act);
    answerOnce(store, { ...CALL, key: undefined }, act);
    assert.equal(count, 2);
  });
});

describe('takePlace', () => {
  const WINDOWS = [
    { count: 2, windowMs: 600_000 },
    { count: 3, windowMs: 18_000_000 },
  ];

  test('refuses what is too much, says when it is not, and counts no refusal', (t) => {
    const store = openStore(t);
    const take = (now: number) => {
      const taken = takePlace(store, 'b', WINDOWS, now);
      return taken.ok ? 0 : taken.failure.retryAfterMs;
    };
    assert.deepEqual(
      [take(1_000), take(2_000), take(3_000), take(4_000)],
      [0, 0, 598_000, 597_000],
    );
    assert.equal(take(601_000), 0);
    assert.equal(take(1_300_000), 16_701_000);
    assert.equal(takePlace(store, 'other', WINDOWS, 1_300_000).ok, true);
    assert.equal(take(18_001_000), 0);
    assert.equal(store.rateLimits.list('b', 9).length, 3);
  });

  test('takes no place where what is limited fails', (t) => {
    const store = openStore(t);
    const act = () => {
      assert.ok(takePlace(store, 'b', WINDOWS, 5).ok);
      throw new Error('it fails');
    };
    assert.throws(() => store.transact(act));
    assert.deepEqual(store.rateLimits.list('b', 9), []);
  });
});
