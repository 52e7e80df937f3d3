import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { ADMIN_ACCESS } from '../../../../app/domain/access.ts';
import type { CredentialTally } from '../../../../app/domain/failed-credentials.ts';
import { createAdminGate } from '../../../../app/http/admin-gate.ts';
import {
  FailedCredentials,
  type TallyChanges,
} from '../../../../app/http/credentials/failed-credentials.ts';
import { guardOf } from '../../../../app/join-limits.ts';
import { makeFolder, openTestStore } from '../http-fixture.ts';

const LIMITS = { perAddress: 3, total: 8, windowMs: 60_000 };
const NOW = 1_800_000_000_000;
const SECRET = 'the-admin-token';

function start(context: TestContext, save: (changes: TallyChanges) => void = () => {}) {
  const clock = { nowMs: NOW };
  context.mock.method(Date, 'now', () => clock.nowMs);
  const told: (readonly [address: string, until: number])[] = [];
  const failed = new FailedCredentials({
    limits: LIMITS,
    save,
    onLimited: ({ address }, until) => told.push([address, until]),
  });
  context.after(() => failed.flush());
  const gate = createAdminGate({
    tokens: [{ name: 'PODUP_TOKEN', secret: SECRET, access: ADMIN_ACCESS }],
    guard: guardOf(failed, 'admin'),
  });
  const raw = { headers: {}, socket: {} } as Parameters<typeof gate>[0]['raw'];
  /** The code of the answer to a token from an address; `good` where it was taken. */
  const show = (ip: string, token = 'wrong') => {
    const found = gate({ raw, ip }, token);
    return found.ok ? 'good' : found.failure.code;
  };
  return { failed, clock, told, gate, raw, show };
}

const times = <T>(count: number, act: () => T) => Array.from({ length: count }, act);

describe('credentials that are wrong', () => {
  test('too often are not looked at from there until the window is over, and good ones are from elsewhere', (t) => {
    const { show, clock, told, gate, raw } = start(t);
    assert.deepEqual(
      times(3, () => show('192.0.2.1')),
      times(3, () => 'ADMIN_TOKEN_INVALID'),
    );
    assert.deepEqual(told, [['192.0.2.1', NOW + 60_000]]);
    clock.nowMs += 10_000;
    assert.equal(show('192.0.2.1'), 'CREDENTIALS_LIMITED');
    // Else it could be guessed how long one likes.
    assert.equal(show('192.0.2.1', SECRET), 'CREDENTIALS_LIMITED');
    assert.equal(show('192.0.2.2', SECRET), 'good');
    const refused = gate({ raw, ip: '192.0.2.1' }, 'wrong');
    assert.equal(!refused.ok && refused.failure.retryAfterMs, 50_000);
    clock.nowMs += 50_000;
    assert.equal(show('192.0.2.1', SECRET), 'good');
    assert.equal(told.length, 1);
  });

  test('leave good ones alone where a good one has come from there: others may be behind the same proxy', (t) => {
    const { show } = start(t);
    assert.equal(show('192.0.2.1', SECRET), 'good');
    times(3, () => show('192.0.2.1'));
    assert.equal(show('192.0.2.1'), 'CREDENTIALS_LIMITED');
    assert.equal(show('192.0.2.1', SECRET), 'good');
  });

  test('of one IPv6 network are those of one caller', (t) => {
    const { show } = start(t);
    for (const end of ['1', '2', '3']) show(`2001:db8:1:2::${end}`);
    assert.equal(show('2001:db8:1:2:ffff::9'), 'CREDENTIALS_LIMITED');
    assert.equal(show('2001:db8:1:3::1'), 'ADMIN_TOKEN_INVALID');
  });

  test('of many addresses are too many together, but keep out no good one', (t) => {
    const { show, told } = start(t);
    for (let at = 1; at <= 8; at++) assert.equal(show(`192.0.2.${at}`), 'ADMIN_TOKEN_INVALID');
    assert.equal(show('192.0.2.99'), 'CREDENTIALS_LIMITED');
    assert.equal(show('192.0.2.99', SECRET), 'good');
    assert.deepEqual(told, [['*', NOW + 60_000]]);
  });

  test('of deliveries are counted by themselves, and a good signature is never refused', (t) => {
    const { failed, show } = start(t);
    times(3, () => failed.tell('webhook', '192.0.2.1', false));
    assert.equal(failed.tell('webhook', '192.0.2.1', false)?.code, 'CREDENTIALS_LIMITED');
    assert.equal(failed.tell('webhook', '192.0.2.1', true), undefined);
    assert.equal(show('192.0.2.1', SECRET), 'good');
    assert.deepEqual(failed.sums().webhook, { failed: 4, refused: 1 });
  });

  test('are forgotten at a word of a person', (t) => {
    const { failed, show } = start(t);
    times(4, () => show('192.0.2.1'));
    assert.equal(failed.release('192.0.2.1'), 1);
    assert.equal(failed.release('192.0.2.1'), 0);
    assert.equal(show('192.0.2.1'), 'ADMIN_TOKEN_INVALID');
  });
});

describe('what is counted', () => {
  test('is handed on once a second, however many there are, and counts on after a restart', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const store = openTestStore(t, makeFolder(t));
    const saves: TallyChanges[] = [];
    const save = (changes: TallyChanges) => {
      saves.push(changes);
      store.failedCredentials.save(changes);
    };
    const { show } = start(t, save);
    times(500, () => show('192.0.2.1'));
    assert.equal(saves.length, 0);
    t.mock.timers.tick(1_000);
    assert.equal(saves.length, 1);
    assert.equal(saves[0]?.changed.length, 2);

    t.mock.restoreAll();
    const next = start(t, save);
    next.failed.load(store.failedCredentials.list());
    assert.equal(next.show('192.0.2.1'), 'CREDENTIALS_LIMITED');
    assert.equal(next.failed.release(), 2);
    assert.deepEqual(store.failedCredentials.list(), []);
  });

  test('is bounded: what says least goes, and an address that is known stays', (t) => {
    const kept = new Map<string, CredentialTally>();
    const { show, failed } = start(t, ({ changed, gone }) => {
      for (const tally of changed) kept.set(`${tally.kind} ${tally.address}`, tally);
      for (const { kind, address } of gone) kept.delete(`${kind} ${address}`);
    });
    show('192.0.2.1', SECRET);
    failed.tell('webhook', '192.0.2.1', false);
    for (let at = 0; at < 6_000; at++) {
      failed.tell('admin', `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`, false);
    }
    failed.flush();
    assert.equal(failed.list().length, 4_096);
    assert.equal(kept.size, 4_096);
    assert.ok(failed.list().some(({ address }) => address === '192.0.2.1'));
    const totals = failed.list().filter(({ address }) => address === '*');
    assert.deepEqual(totals.map(({ kind }) => kind).sort(), ['admin', 'webhook']);
  });
});
