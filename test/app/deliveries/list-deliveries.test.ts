import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { deliveriesQuery } from '../../../app/api/delivery-views.ts';
import {
  listDeliveries,
  listMissed,
  listRefused,
  readDelivery,
} from '../../../app/deliveries/list-deliveries.ts';
import { takeOver } from '../../../app/intake/take-over.ts';
import { deliveryRow } from '../../helpers/delivery-row.ts';
import { spoolEntry } from '../../helpers/spool.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';

const RULES = { windowMs: 0 };
const IMAGE = 'ghcr.io/o/web:main';

function start(context: TestContext) {
  const { store } = openTestStore(context, makeTempFolder(context));
  const list = (query: Record<string, string> = {}) =>
    listDeliveries(store, deliveriesQuery.parse(query));
  const ids = (query: Record<string, string>) => list(query).deliveries.map(({ id }) => id);
  return { store, list, ids };
}

test('a secret that stands where a body is cut is not shown by halves', (t) => {
  const { store } = start(t);
  store.deliveries.insert(deliveryRow({ id: 'dlv_1', reception: 'dlv_1' }));
  const body = `${'-'.repeat(65_520)} https://u:geheim@example ${'-'.repeat(100_000)}`;
  store.deliveryBodies.keep('dlv_1', 1, Buffer.from(body));
  const found = readDelivery(store, 'dlv_1');
  assert.ok(found.ok);
  const { text, cut } = found.value.body;
  assert.deepEqual([text?.length, cut], [65_536, true]);
  assert.equal(text?.slice(65_519), '- https://u:[mask');
});

describe('the list of deliveries', () => {
  test('is narrowed by each of its filters', (t) => {
    const { store, ids } = start(t);
    const rows = [
      deliveryRow({ id: 'dlv_1', received_at: 1_000, hook: 'ci', source: 'generic' }),
      deliveryRow({ id: 'dlv_2', received_at: 2_000, unit: 'api.service' }),
      deliveryRow({ id: 'dlv_3', received_at: 3_000, verdict: 'ignored', reason: 'unit-unknown' }),
      deliveryRow({ id: 'dlv_4', received_at: 3_000, verdict: 'ping' }),
    ];
    for (const row of rows) store.deliveries.insert(row);
    const cases: readonly (readonly [Record<string, string>, readonly string[]])[] = [
      [{}, ['dlv_4', 'dlv_3', 'dlv_2', 'dlv_1']],
      [{ hook: 'ci' }, ['dlv_1']],
      [{ source: 'github' }, ['dlv_4', 'dlv_3', 'dlv_2']],
      [{ unit: 'api.service' }, ['dlv_2']],
      [{ unit: 'api.service', verdict: 'ping' }, []],
      [{ verdict: 'ping' }, ['dlv_4']],
      [{ reason: 'unit-unknown' }, ['dlv_3']],
      [{ from: '1970-01-01T00:00:02Z' }, ['dlv_4', 'dlv_3', 'dlv_2']],
      [{ to: '1970-01-01T00:00:02Z' }, ['dlv_1']],
    ];
    for (const [query, expected] of cases)
      assert.deepEqual(ids(query), expected, JSON.stringify(query));
  });

  test('is read page by page, each delivery once, also where many came at one moment', (t) => {
    const { store, list } = start(t);
    for (let index = 0; index < 25; index++) {
      const received_at = 1_000 + Math.floor(index / 10);
      store.deliveries.insert(deliveryRow({ id: `dlv_${100 + index}`, received_at }));
    }
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = list({ limit: '7', ...(cursor && { cursor }) });
      seen.push(...page.deliveries.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    const expected = Array.from({ length: 25 }, (_, index) => `dlv_${124 - index}`);
    assert.deepEqual(seen, expected);
  });

  test('goes on behind 20,000 deliveries that are not meant', (t) => {
    const { store, list } = start(t);
    store.deliveries.insert(deliveryRow({ id: 'dlv_old', received_at: 1, verdict: 'ping' }));
    store.transact(() => {
      for (let index = 0; index < 20_000; index++)
        store.deliveries.insert(
          deliveryRow({
            ...{ id: `dlv_${index}`, received_at: 10 + index },
            // The last one that the first page looks at: it is on that one, and on no other.
            ...(index === 0 && { verdict: 'ping' }),
          }),
        );
    });
    const first = list({ verdict: 'ping' });
    assert.deepEqual(
      first.deliveries.map(({ id }) => id),
      ['dlv_0'],
    );
    const second = list({ verdict: 'ping', cursor: first.next_cursor ?? '' });
    assert.deepEqual(
      second.deliveries.map(({ id }) => id),
      ['dlv_old'],
    );
    assert.equal(second.next_cursor, null);
  });

  test('says of a digest by which one it is superseded', (t) => {
    const { store, list } = start(t);
    const push = (id: string, digest: string) =>
      spoolEntry({ id, verdict: { verdict: 'accepted', matched: 'tag', image: IMAGE, digest } });
    takeOver(store, [push('dlv_1', 'old'), push('dlv_2', 'new')], { segment: 'a', end: 1 }, RULES);
    const superseded = list().deliveries.map(({ id, superseded_by: by }) => [id, by]);
    assert.deepEqual(superseded, [
      ['dlv_2', null],
      ['dlv_1', 'new'],
    ]);
    assert.equal(list().deliveries[0]?.task?.status, 'pending');
  });
});

describe('one delivery', () => {
  test('is told with its body, without what is secret in that', (t) => {
    const { store } = start(t);
    const body = JSON.stringify({
      package: 'web',
      password: 'hunter22',
      filler: 'x'.repeat(2_000),
    });
    const verdict = { verdict: 'ignored', reason: 'untagged-child', detail: 'Seen.' } as const;
    takeOver(store, [spoolEntry({ verdict }, body)], { segment: 'a', end: 1 }, RULES);
    const found = readDelivery(store, 'dlv_1');
    assert.ok(found.ok);
    const { meaning, body: told, others, replays } = found.value;
    assert.match(meaning ?? '', /has no tag/);
    assert.equal(told.text, body.replace('"hunter22"', '[masked]'));
    assert.deepEqual([told.kept, told.cut, told.bytes], [true, false, body.length]);
    assert.deepEqual([others, replays], [[], []]);
    assert.equal(store.deliveryBodies.find('dlv_1')?.toString(), body, 'what is kept is the body');
  });

  test('is told with the beginning of a body that is long, and that it is cut', (t) => {
    const { store } = start(t);
    const told = (bytes: number) => {
      const id = `dlv_${bytes}`;
      store.deliveries.insert(deliveryRow({ id, reception: id }));
      store.deliveryBodies.keep(id, 1, Buffer.alloc(bytes, 'x'));
      const found = readDelivery(store, id);
      return found.ok && [found.value.body.text?.length, found.value.body.cut];
    };
    assert.deepEqual(told(65_536), [65_536, false]);
    assert.deepEqual(told(65_537), [65_536, true]);
  });

  test('has the body of the first of its units, and names what was made of it since', (t) => {
    const { store } = start(t);
    store.deliveries.insert(deliveryRow({ id: 'dlv_1', reception: 'dlv_1' }));
    store.deliveries.insert(deliveryRow({ id: 'dlv_2', unit: 'b.service', reception: 'dlv_1' }));
    store.deliveryBodies.keep('dlv_1', 1, Buffer.from('{}'));
    for (const [id, received_at] of [
      ['dlv_4', 8],
      ['dlv_3', 9],
    ] as const)
      store.deliveries.insert(deliveryRow({ id, received_at, replay_of: 'dlv_2' }));
    const found = readDelivery(store, 'dlv_2');
    const seen = found.ok && [found.value.body.text, found.value.replays];
    assert.deepEqual(seen, ['{}', ['dlv_4', 'dlv_3']]);
  });

  test('of which no body is kept says so, and so does one that there is not', (t) => {
    const { store } = start(t);
    takeOver(
      store,
      [spoolEntry({ verdict: { verdict: 'ping' } })],
      { segment: 'a', end: 1 },
      RULES,
    );
    const found = readDelivery(store, 'dlv_1');
    assert.deepEqual(found.ok && [found.value.body.kept, found.value.body.text], [false, null]);
    const none = readDelivery(store, 'dlv_2');
    assert.equal(none.ok || none.failure.code, 'DELIVERY_NOT_FOUND');
  });

  test('that concerned several units names the others', (t) => {
    const { store } = start(t);
    for (const [id, unit] of [
      ['dlv_1', 'a.service'],
      ['dlv_2', 'b.service'],
    ] as const)
      store.deliveries.insert(deliveryRow({ id, unit, reception: 'dlv_1' }));
    const found = readDelivery(store, 'dlv_2');
    assert.deepEqual(found.ok && found.value.others.map(({ unit }) => unit), ['a.service']);
  });
});

test('refused ones are told newest first, page by page', (t) => {
  const { store } = start(t);
  const of = { first_at: 5, last_at: 6, address: '192.0.2.1', path: '/', reason: null, count: 1 };
  const rows = ['A', 'B', 'C'].map((code) => ({ ...of, code, body_bytes: null, body: null }));
  store.refusedDeliveries.insertAll(rows);
  const first = listRefused(store, { limit: 2 });
  assert.deepEqual(
    first.refused.map(({ code, first_at: at }) => [code, at]),
    ['C', 'B'].map((code) => [code, '1970-01-01T00:00:00.005Z']),
  );
  const second = listRefused(store, { limit: 2, cursor: Number(first.next_cursor) });
  const codes = second.refused.map(({ code }) => code);
  assert.deepEqual([codes, second.next_cursor], [['A'], null]);
});

test('missed ones are told newest first, with how many there were ever', (t) => {
  const { store } = start(t);
  for (const digest of ['d1', 'd2', 'd3'])
    store.missedDeliveries.insert({
      ...({ found_at: 5, found_by: 'sweep', unit: 'web.service', image: IMAGE } as const),
      ...{ former_digest: null, digest, task_id: null },
    });
  const first = listMissed(store, { limit: 2 });
  assert.deepEqual([first.missed.map(({ digest }) => digest), first.total], [['d3', 'd2'], 3]);
  const second = listMissed(store, { limit: 2, cursor: Number(first.next_cursor) });
  assert.deepEqual([second.missed.map(({ digest }) => digest), second.next_cursor], [['d1'], null]);
});
