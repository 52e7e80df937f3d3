import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  AGAIN_AFTER_MS,
  chooseAgain,
  type DeliveryAttempt,
  type DeliverySituation,
  MAX_TIMES,
} from '../../../app/domain/failed-deliveries.ts';

const NOW = 1_000_000_000;
const NOTHING: DeliverySituation = { here: new Set(), asked: new Map(), nowMs: NOW, room: 50 };

function attempt(over: Partial<DeliveryAttempt> = {}): DeliveryAttempt {
  return { id: '7', guid: 'g1', deliveredAt: 100, statusCode: 502, event: 'package', ...over };
}

const choose = (attempts: readonly DeliveryAttempt[], over: Partial<DeliverySituation> = {}) =>
  chooseAgain(attempts, { ...NOTHING, ...over });
const idsOf = (attempts: readonly DeliveryAttempt[], over: Partial<DeliverySituation> = {}) =>
  choose(attempts, over).again.map(({ id }) => id);

describe('which deliveries are asked for again', () => {
  test('one that failed, by its newest attempt, and the oldest first', () => {
    const attempts = [
      attempt({ id: '9007199254740995', deliveredAt: 300 }),
      attempt({ id: '9007199254740993', deliveredAt: 300 }),
      attempt({ id: '5', guid: 'g0', deliveredAt: 50, event: 'registry_package', statusCode: 0 }),
    ];
    assert.deepEqual(idsOf(attempts), ['5', '9007199254740995']);
    assert.equal(choose(attempts).settledUntil, 50);
  });

  test('not where the newest attempt was acknowledged, though an older one failed', () => {
    const attempts = [attempt({ id: '8', deliveredAt: 200, statusCode: 202 }), attempt()];
    assert.deepEqual(choose(attempts), {
      ...{ again: [], givenUp: [], later: 0, settledUntil: 200 },
    });
  });

  test('of one moment in the order of their ids, as numbers', () => {
    const attempts = ['10', '9', '8'].map((id) => attempt({ id, guid: `g${id}` }));
    assert.deepEqual(idsOf(attempts), ['8', '9', '10']);
    const same = [attempt({ id: '9' }), attempt({ id: '10', statusCode: 202 })];
    assert.deepEqual(idsOf(same), [], 'the newest of them was acknowledged');
  });

  test('one that goes on failing is not settled since its first attempt', () => {
    const attempts = [attempt({ id: '8', deliveredAt: 300 }), attempt({ deliveredAt: 100 })];
    const between = attempt({ id: '9', guid: 'g2', deliveredAt: 200, statusCode: 202 });
    const { again, settledUntil } = choose([...attempts, between]);
    assert.deepEqual([again.map(({ id }) => id), settledUntil], [['8'], 100]);
  });

  for (const statusCode of [200, 202, 204, 299])
    test(`${statusCode} is an acknowledgement`, () => {
      assert.deepEqual(idsOf([attempt({ statusCode })]), []);
    });

  for (const statusCode of [0, 199, 300, 401, 500, 503])
    test(`${statusCode} is none`, () => {
      assert.deepEqual(idsOf([attempt({ statusCode })]), ['7']);
    });

  test('not what has arrived all the same, nor what tells of no push', () => {
    assert.deepEqual(idsOf([attempt()], { here: new Set(['g1']) }), []);
    assert.deepEqual(idsOf([attempt({ event: 'push' })]), []);
  });

  test('at most three times, and not again within ten minutes', () => {
    const asked = (times: number, askedAt: number) => ({
      asked: new Map([['g1', { times, askedAt }]]),
    });
    const due = NOW - AGAIN_AFTER_MS;
    assert.deepEqual(idsOf([attempt()], asked(MAX_TIMES - 1, due)), ['7']);
    const early = choose([attempt()], asked(1, due + 1));
    assert.deepEqual([early.again, early.later, early.settledUntil], [[], 1, 100]);
    assert.equal(choose([attempt()], asked(1, NOW + AGAIN_AFTER_MS)).again.length, 1);
    const { again, givenUp, settledUntil } = choose([attempt()], asked(MAX_TIMES, due));
    assert.deepEqual([again, givenUp.length, settledUntil], [[], 1, 100]);
  });

  test('of many as many as there is room for, and the rest is not settled', () => {
    const attempts = [3, 2, 1].map((n) => attempt({ id: `${n}`, guid: `g${n}`, deliveredAt: n }));
    assert.deepEqual(idsOf(attempts, { room: 2 }), ['1', '2']);
    assert.deepEqual([choose(attempts, { room: -1 }).again, choose(attempts).later], [[], 0]);
    assert.equal(choose(attempts, { room: 2 }).later, 1);
  });

  test('of nothing nothing, and nothing is settled by it', () => {
    assert.deepEqual(choose([]), { again: [], givenUp: [], later: 0, settledUntil: undefined });
  });
});

describe('of any list', () => {
  const anyAttempt = fc.record({
    id: fc.bigInt(1n, 9_999_999_999_999_999_999n).map(String),
    guid: fc.constantFrom('a', 'b', 'c', 'd'),
    deliveredAt: fc.integer({ min: 0, max: 50 }),
    statusCode: fc.constantFrom(0, 200, 202, 404, 500),
    event: fc.constantFrom('package', 'registry_package', 'push'),
  });
  const anySituation = fc.record({
    here: fc.uniqueArray(fc.constantFrom<string>('a', 'b')).map((guids) => new Set(guids)),
    asked: fc
      .dictionary(
        fc.constantFrom('b', 'c'),
        fc.record({
          times: fc.integer({ min: 0, max: 4 }),
          askedAt: fc.integer({ min: NOW - 2 * AGAIN_AFTER_MS, max: NOW }),
        }),
      )
      .map((asked) => new Map(Object.entries(asked))),
    nowMs: fc.constant(NOW),
    room: fc.integer({ min: 0, max: 3 }),
  });

  test('each delivery is asked for once, never what is here, acknowledged, given up or beyond the room', () => {
    fc.assert(
      fc.property(fc.array(anyAttempt, { maxLength: 20 }), anySituation, (attempts, situation) => {
        const { again, later, givenUp, settledUntil } = chooseAgain(attempts, situation);
        const guids = again.map(({ guid }) => guid);
        assert.equal(new Set(guids).size, guids.length);
        assert.ok(again.length <= situation.room);
        for (const { guid, times, statusCode, deliveredAt } of again) {
          assert.ok(!situation.here.has(guid) && (statusCode < 200 || statusCode > 299));
          assert.ok(times <= MAX_TIMES && times === (situation.asked.get(guid)?.times ?? 0) + 1);
          const newest = Math.max(
            ...attempts.filter((one) => one.guid === guid).map((one) => one.deliveredAt),
          );
          assert.equal(deliveredAt, newest);
          // What was asked for is read again, to see what has become of it.
          assert.ok(settledUntil !== undefined && settledUntil <= deliveredAt);
        }
        const none = attempts.length === 0;
        assert.equal(settledUntil === undefined, none);
        if (again.length + later === 0 && !none) {
          assert.equal(settledUntil, Math.max(...attempts.map((one) => one.deliveredAt)));
        }
        assert.ok(
          givenUp.every(({ guid }) => (situation.asked.get(guid)?.times ?? 0) >= MAX_TIMES),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test('the order of the list does not matter', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyAttempt, { maxLength: 12, selector: ({ id }) => id }),
        anySituation,
        (attempts, situation) => {
          assert.deepEqual(
            chooseAgain(attempts.toReversed(), situation),
            chooseAgain(attempts, situation),
          );
        },
      ),
    );
  });
});
