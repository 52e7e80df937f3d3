import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { keepRefusedDeliveries } from '../../../app/deliveries/refused-deliveries.ts';
import { openTestStore } from '../../helpers/store.ts';
import { makeTempFolder } from '../../helpers/temp-folder.ts';
import { keepLog } from '../http/http-fixture.ts';

const SECRET = 'a-secret-of-ours';
const REFUSED = {
  ...{ address: '192.0.2.1', path: '/hooks/ci', code: 'HOOK_REFUSED', body: undefined },
  reason: 'secret-wrong',
};

function start(context: TestContext) {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 600_000 });
  const { store } = openTestStore(context, makeTempFolder(context));
  const { log, lines } = keepLog();
  return { store, lines, refused: keepRefusedDeliveries(store, [SECRET], log) };
}

describe('what was refused', () => {
  test('is written together after a while, one row of an address, path, reason and minute', (t) => {
    const { store, refused } = start(t);
    for (let index = 0; index < 500; index++) refused.note(REFUSED);
    refused.note({ ...REFUSED, code: 'BODY_NOT_JSON', reason: null });
    refused.note({ ...REFUSED, address: '2001:db8::1' });
    refused.note({ ...REFUSED, address: '2001:db8::2' });
    assert.deepEqual(store.refusedDeliveries.list(9), []);
    t.mock.timers.tick(10_000);
    const rows = store.refusedDeliveries.list(9).map((row) => [row.address, row.code, row.count]);
    assert.deepEqual(rows, [
      ['2001:db8:0:0::/64', 'HOOK_REFUSED', 2],
      ['192.0.2.1', 'BODY_NOT_JSON', 1],
      ['192.0.2.1', 'HOOK_REFUSED', 500],
    ]);
  });

  test('is told apart by path, code, reason and minute, and each is written once', (t) => {
    const { store, refused } = start(t);
    const others = [
      { ...REFUSED, path: '/hooks/other' },
      { ...REFUSED, code: 'BODY_NOT_JSON' },
      { ...REFUSED, reason: 'secret-missing' },
    ];
    for (const one of [REFUSED, ...others]) refused.note(one);
    refused.close();
    refused.close();
    t.mock.timers.tick(59_999);
    refused.note(REFUSED);
    t.mock.timers.tick(1);
    for (let times = 0; times < 2; times++) refused.note(REFUSED);
    refused.close();
    const rows = store.refusedDeliveries.list(99);
    assert.deepEqual(
      rows.map(({ path, code, reason, count }) => [path, code, reason, count]).reverse(),
      [
        ...[REFUSED, ...others, REFUSED].map(({ path, code, reason }) => [path, code, reason, 1]),
        [REFUSED.path, REFUSED.code, REFUSED.reason, 2],
      ],
    );
    assert.deepEqual(
      rows.slice(0, 2).map(({ first_at: at }) => at),
      [660_000, 659_999],
    );
  });

  test('has no more of its path than anybody reads', (t) => {
    const { store, refused } = start(t);
    refused.note({ ...REFUSED, path: `/hooks/${'a'.repeat(9_000)}` });
    refused.close();
    assert.equal(store.refusedDeliveries.list(1)[0]?.path.length, 300);
  });

  test('from more addresses than anybody looks at is only counted', (t) => {
    const { store, refused } = start(t);
    for (let index = 0; index < 300; index++)
      refused.note({ ...REFUSED, address: `192.0.2.${index}` });
    refused.close();
    const rows = store.refusedDeliveries.list(999);
    assert.equal(rows.length, 101);
    const others = rows.find(({ address }) => address === 'others');
    assert.deepEqual([others?.count, others?.path], [200, '']);
  });

  test('has the beginning of its body, without secrets by name or by value', (t) => {
    const { store, refused } = start(t);
    const body = Buffer.from(`{"token":"t0p","text":"${SECRET}","filler":"${'x'.repeat(9_000)}"}`);
    refused.note({ ...REFUSED, path: `/hooks/ci/${SECRET}`, body });
    refused.close();
    const [row] = store.refusedDeliveries.list(1);
    assert.equal(row?.body_bytes, body.length);
    assert.equal(row?.body?.length, 4_096);
    assert.match(row?.body ?? '', /^\{"token":\[masked\],"text":"\[redacted\]","filler":"x/);
    assert.equal(row?.path, '/hooks/ci/[redacted]');
  });

  test('fills no disk: only the newest 2,000 rows stay', (t) => {
    const { store, refused } = start(t);
    for (let minute = 0; minute < 30; minute++) {
      for (let index = 0; index < 100; index++)
        refused.note({ ...REFUSED, address: `192.0.2.${index}` });
      t.mock.timers.tick(60_000);
    }
    assert.equal(store.refusedDeliveries.list(9_999).length, 2_000);
  });

  test('that cannot be written is told of and harms nobody', (t) => {
    const { store, refused, lines } = start(t);
    refused.note(REFUSED);
    store.close();
    refused.close();
    assert.match(lines.join(''), /what was refused cannot be kept/);
  });
});
