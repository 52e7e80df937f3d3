import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { AccessBook } from '../../../../app/access/access-book.ts';
import { ADMIN_ACCESS } from '../../../../app/domain/access.ts';
import { createAdminGate } from '../../../../app/http/admin-gate.ts';
import { registerSessionApi } from '../../../../app/http/routes/session-api.ts';
import { createKnownUnits } from '../../../../app/units/known-units.ts';
import { adminGate, ask, askAdmin, startApp, TOKEN } from '../http-fixture.ts';

const known = createKnownUnits({
  ...{ listed: ['web.service'], autoDiscover: false, readFound: () => [] },
});

function start(context: TestContext) {
  return startApp(context, {
    prepare: (app, { store, log }) => {
      const times = { idleMs: 60_000, maxMs: 120_000 };
      const { sessions } = new AccessBook({ store, tokens: [], times, log });
      registerSessionApi(app, { gate: adminGate(), known, sessions });
    },
  });
}

describe('GET /api/session', () => {
  test('tells an admin how that is known, and what may be done to which unit', async (t) => {
    const { port } = await start(t);
    const { status, json } = await askAdmin(port, '/api/session');
    assert.equal(status, 200);
    const yes = { allowed: true, reason: null };
    assert.deepEqual(json, {
      caller: 'token:PODUP_TOKEN',
      recognised_by: 'token',
      refusal: null,
      scopes: ['admin', 'read', 'deploy:*'],
      ends_at: null,
      may: ['read', 'deploy', 'manage', 'self-update'],
      units: [{ unit: 'web.service', deploy: yes, deploy_all: yes, webhook: yes, schedule: yes }],
    });
  });

  for (const [title, headers, code] of [
    ['without a token', {}, 'ADMIN_TOKEN_MISSING'],
    ['with a wrong one', { authorization: 'Bearer wrong' }, 'ADMIN_TOKEN_INVALID'],
  ] as const) {
    test(`${title} nobody is known, and what to do is told; no unit is`, async (t) => {
      const { port } = await start(t);
      const { status, json, text } = await ask(port, { path: '/api/session', headers });
      assert.equal(status, 200);
      assert.equal((json['refusal'] as { code: string }).code, code);
      assert.deepEqual([json['caller'], json['may'], json['units']], [null, [], []]);
      assert.doesNotMatch(text, /web\.service/);
    });
  }
});

describe('the cookie of a session', () => {
  test('is another one a quarter of an hour later', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    let sessions: AccessBook['sessions'] | undefined;
    const { port } = await startApp(t, {
      prepare: (app, { store, log }) => {
        const times = { idleMs: 3_600_000, maxMs: 7_200_000 };
        const tokens = [{ name: 'PODUP_TOKEN', secret: TOKEN, access: ADMIN_ACCESS }];
        const book = new AccessBook({ store, tokens, times, log });
        sessions = book.sessions;
        registerSessionApi(app, {
          gate: createAdminGate({ tokens, stored: book }),
          known,
          sessions,
        });
      },
    });
    const cookie = `podup_session=${sessions?.begin('PODUP_TOKEN')}`;
    const look = (given: string) => ask(port, { path: '/api/session', headers: { cookie: given } });
    assert.equal((await look(cookie)).headers['set-cookie'], undefined);
    t.mock.timers.tick(900_000);
    const { headers, json } = await look(cookie);
    assert.equal(json['caller'], 'session:PODUP_TOKEN');
    const [next = ''] = headers['set-cookie']?.[0]?.split(';', 1) ?? [];
    assert.match(next, /^podup_session=[\w-]{43}$/);
    assert.notEqual(next, cookie);
    t.mock.timers.tick(10_000);
    assert.equal((await look(next)).json['caller'], 'session:PODUP_TOKEN');
    const old = (await look(cookie)).json['refusal'] as { code: string };
    assert.equal(old.code, 'SESSION_ENDED');
  });
});
